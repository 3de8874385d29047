# Published mediation analyses by R's own packages: how the columns `mean` and `sd` of packages.csv were made.
# R 4.2.2; mediation 4.5.1 and CMAverse 0.1.0 from their sources, brms 2.18.0 from Debian. Run in a folder with one
# CSV a case, as tests.published.table writes them: framing.csv, jobs.csv, "jobs, binary mediator.csv", ...
# CMAverse is sourced file by file (regrun.R, est.rb.R, inf.delta.R, estinf.R, cmest.R): its graph functions need
# packages that these estimates do not.
cases <- list(
  list("framing", "emo", "cong_mesg", "gaussian", "probit", c("age", "gender", "income")),
  list("jobs", "job_seek", "depress2", "gaussian", "gaussian", c("econ_hard", "sex", "age")),
  list("jobs, binary mediator", "job_dich", "depress2", "logit", "gaussian", c("econ_hard", "sex", "age")),
  list("jobs, binary outcome", "job_seek", "work1", "gaussian", "logit", c("econ_hard", "sex", "age")),
  list("jobs, both binary", "job_dich", "work1", "logit", "logit", c("econ_hard", "sex", "age"))
)
equation <- function(target, predictors) as.formula(paste(target, "~", paste(predictors, collapse = "+")))

# mediation: quasi-Bayesian, 4,000 simulations; it draws the mediators, which adds to the SD of a binary one's effects
by_mediation <- function(case) {
  data <- read.csv(paste0(case[[1]], ".csv"))
  fitted <- function(formula, family) {
    if (family == "gaussian") lm(formula, data = data) else glm(formula, data = data, family = binomial(family))
  }
  first <- fitted(equation(case[[2]], c("treat", case[[6]])), case[[4]])
  second <- fitted(equation(case[[3]], c("treat", case[[2]], case[[6]])), case[[5]])
  set.seed(1)
  found <- mediation::mediate(first, second, treat = "treat", mediator = case[[2]], sims = 4000)
  sims <- list(total = found$tau.sims, natural_direct = found$z0.sims, natural_indirect = found$d1.sims)
  sapply(sims, function(s) c(mean = mean(s), sd = sd(s)))
}

# CMAverse: regression-based, by imputation, 1,000 bootstrap samples; the outcome continuous
by_cmaverse <- function(case, interaction) {
  data <- read.csv(paste0(case[[1]], ".csv"))
  held <- if (case[[4]] == "gaussian") mean(data[[case[[2]]]]) else 0
  set.seed(1)
  found <- cmest(
    data = data, model = "rb", outcome = case[[3]], exposure = "treat", mediator = case[[2]], basec = case[[6]],
    EMint = interaction, mreg = list(if (case[[4]] == "gaussian") "linear" else "logistic"), yreg = "linear",
    astar = 0, a = 1, mval = list(held), estimation = "imputation", inference = "bootstrap", nboot = 1000
  )
  cbind(mean = found$effect.pe, sd = found$effect.se)
}

# brms: both equations in one fit, its default (flat) priors, 2 x 2,000 draws; natural effects by the g-formula on its
# draws, a continuous mediator integrated over 30 Gauss-Hermite nodes, a binary one summed over 0 and 1
nodes <- local({
  n <- 30
  i <- seq_len(n - 1)
  jacobi <- matrix(0, n, n)
  jacobi[cbind(i, i + 1)] <- jacobi[cbind(i + 1, i)] <- sqrt(i)
  decomposed <- eigen(jacobi, symmetric = TRUE)
  list(at = decomposed$values, weight = decomposed$vectors[1, ]^2)
})
by_brms <- function(case) {
  data <- read.csv(paste0(case[[1]], ".csv"))
  family <- function(name) if (name == "gaussian") "gaussian" else brms::bernoulli(name)
  both <- brms::bf(equation(case[[2]], c("treat", case[[6]])), family = family(case[[4]])) +
    brms::bf(equation(case[[3]], c("treat", case[[2]], case[[6]])), family = family(case[[5]])) +
    brms::set_rescor(FALSE)
  fit <- brms::brm(both, data = data, chains = 2, iter = 3000, warmup = 1000, seed = 1, refresh = 0)
  m <- gsub("_", "", case[[2]])
  y <- gsub("_", "", case[[3]])
  draws <- as.matrix(fit)
  slope <- draws[, paste0("b_", y, "_", case[[2]])]
  inverse <- switch(case[[5]], gaussian = identity, logit = plogis, probit = pnorm)
  first <- function(z) brms::posterior_linpred(fit, newdata = transform(data, treat = z), resp = m)
  second <- function(z) {
    at_zero <- transform(data, treat = z)
    at_zero[[case[[2]]]] <- 0
    brms::posterior_linpred(fit, newdata = at_zero, resp = y)
  }
  psi <- function(eta, base) {
    if (case[[4]] != "gaussian") {
      p <- plogis(eta)
      return(rowMeans(p * inverse(base + slope) + (1 - p) * inverse(base)))
    }
    sigma <- draws[, paste0("sigma_", m)]
    rowSums(sapply(1:30, function(k) {
      nodes$weight[k] * rowMeans(inverse(base + slope * (eta + sigma * nodes$at[k])))
    }))
  }
  m0 <- first(0)
  m1 <- first(1)
  y0 <- second(0)
  y1 <- second(1)
  effects <- list(
    total = psi(m1, y1) - psi(m0, y0), natural_direct = psi(m0, y1) - psi(m0, y0),
    natural_indirect = psi(m1, y1) - psi(m0, y1)
  )
  sapply(effects, function(s) c(mean = mean(s), sd = sd(s)))
}
