def test_it(school, result_row):
    school.drop('exams','a.jsonl',[result_row(f'r{i}') for i in range(5)]+[result_row('x',score='abc'),result_row('y',score='5',notes=[{'code':'banked','field':'score','detail':'q'}])])
    recs=school.take_in()
    print(recs)
    for n in ('exam_result','refused','notes'): print(school.segment(recs[0],n))
    print(school.ledger())
    print(school.totals())
    import subprocess
    print(subprocess.run(['find',str(school.home.root),'-type','f'],capture_output=True,text=True).stdout)
