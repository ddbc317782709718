# The rival of stringency: lme4's crossed random effects by REML, with conditional variances.
suppressPackageStartupMessages(library(lme4))
ratings <- read.csv(commandArgs(trailingOnly = TRUE)[1])
ratings$learner <- factor(ratings$learner)
ratings$assessor <- factor(ratings$assessor)
started <- proc.time()[["elapsed"]]
found <- lmer(level ~ 1 + (1 | learner) + (1 | assessor), data = ratings, REML = TRUE)
effects <- ranef(found, condVar = TRUE)
seconds <- proc.time()[["elapsed"]] - started
parts <- as.data.frame(VarCorr(found))
variance <- setNames(parts$vcov, parts$grp)
cat(sprintf(
  '{"fit": %.4f, "variance_learner": %.6f, "variance_assessor": %.6f, "variance_residual": %.6f}\n',
  seconds, variance[["learner"]], variance[["assessor"]], variance[["Residual"]]
))
