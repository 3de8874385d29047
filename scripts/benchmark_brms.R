# The effect model in brms, for `benchmark_fits.py`: every coefficient has the prior N(0, 1), as the SD of participants'
# levels has its positive half; `benchmark_brms.py` scales the columns so that this is the product's own prior.
# Prints one line of JSON: compilation apart, wall seconds of chains side by side, CPU seconds of chains in this process.
suppressPackageStartupMessages(library(brms))
# Debian's package of the Boost headers for R holds none: they are the system's
if (system.file("include", package = "BH") == "") rstan::rstan_options(boost_lib = "/usr/include")
given <- commandArgs(TRUE)
data <- read.csv(given[1])
weight <- read.csv(given[2])$weight
columns <- setdiff(names(data), c("outcome", "participant"))
equation <- as.formula(paste("outcome ~ 0 +", paste(columns, collapse = " + "), "+ (1 | participant)"))
beliefs <- c(set_prior("normal(0, 1)", class = "b"), set_prior("normal(0, 1)", class = "sd"))
cpu <- function(spent) sum(spent[c("user.self", "sys.self")])

began <- proc.time()
empty <- brm(equation, data, bernoulli(), prior = beliefs, chains = 0, refresh = 0, silent = 2)
compiled <- (proc.time() - began)[["elapsed"]]
fitted <- function(cores) {
  update(empty, chains = 4, iter = 3000, warmup = 1000, cores = cores, seed = 1, refresh = 0, silent = 2,
         recompile = FALSE)
}
began <- proc.time()
fit <- fitted(2)
wall <- (proc.time() - began)[["elapsed"]]
began <- proc.time()
invisible(fitted(1))
spent <- cpu(proc.time() - began)
draws <- as_draws_array(fit, variable = paste0("b_", columns))
effect <- apply(draws, c(1, 2), function(one) sum(one * weight))
cat(sprintf(
  '{"compile seconds": %.1f, "wall seconds": %.2f, "cpu seconds": %.2f, "ess": %.0f, "mean": %.4f, "sd": %.4f}\n',
  compiled, wall, spent, posterior::ess_bulk(effect), mean(effect), sd(effect)
))
