
"use strict";
(() => {
  const table = document.getElementById("agenda");
  const bodies = [...table.tBodies];
  const find = document.getElementById("find");
  const stage = document.getElementById("stage");
  const reason = document.getElementById("reason");
  const shown = document.getElementById("shown");
  const none = document.getElementById("none");
  const learners = (body) => [...body.rows].filter((row) => !row.classList.contains("group"));
  const first = new Map(bodies.map((body) => [body, learners(body)]));

  const filter = () => {
    const wanted = find.value.trim().toLowerCase();
    let n = 0;
    for (const body of bodies) {
      let inBody = 0;
      for (const row of learners(body)) {
        const fits =
          (!stage.value || row.dataset.stage === stage.value) &&
          (!reason.value || row.dataset.reasons.split(" ").includes(reason.value)) &&
          (!wanted || row.textContent.toLowerCase().includes(wanted));
        row.hidden = !fits;
        inBody += fits ? 1 : 0;
      }
      body.hidden = inBody === 0;
      n += inBody;
    }
    shown.textContent = n + (n === 1 ? " learner" : " learners");
    none.hidden = n > 0;
  };

  const value = (row, column, kind) => {
    const cell = row.cells[column];
    return kind === "number" ? Number(cell.dataset.value) : cell.textContent.trim();
  };

  const sort = (button) => {
    const header = button.parentElement;
    const column = header.cellIndex;
    const kind = button.dataset.kind;
    const next = { none: "ascending", ascending: "descending", descending: "none" };
    const direction = next[header.getAttribute("aria-sort")];
    for (const other of table.tHead.rows[0].cells) {
      if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
    }
    header.setAttribute("aria-sort", direction);
    for (const body of bodies) {
      const rows = [...first.get(body)];
      if (direction !== "none") {
        const sign = direction === "ascending" ? 1 : -1;
        rows.sort((a, b) => {
          const left = value(a, column, kind);
          const right = value(b, column, kind);
          const order = kind === "number" ? left - right : left < right ? -1 : left > right ? 1 : 0;
          return sign * order;
        });
      }
      body.append(...rows);
    }
  };

  for (const button of table.tHead.querySelectorAll("button")) {
    button.addEventListener("click", () => sort(button));
  }
  find.form.addEventListener("submit", (event) => event.preventDefault());
  for (const control of [find, stage, reason]) control.addEventListener("input", filter);
})();
