# Answers the questions of epi-bench with EpiEstim and surveillance: prints the seconds and the most memory that this process has had, in MB;
# writes rows to the last argument.
# Ends with exit code 3 if a package is not there.
arguments <- commandArgs(TRUE)
answer <- arguments[length(arguments)]
need <- function(package) if (!suppressMessages(suppressWarnings(require(package, character.only = TRUE, quietly = TRUE)))) quit(status = 3)
series <- lapply(strsplit(readLines(arguments[2]), ","), as.numeric)
finish <- function(seconds, rows) {
  write.table(rows, answer, sep = ",", row.names = FALSE, col.names = FALSE, na = "NA")
  peak <- grep("^VmHWM", readLines("/proc/self/status"), value = TRUE)
  cat(seconds, as.numeric(gsub("[^0-9]", "", peak)) / 1024, "\n")
}
timed <- function(question) {
  started <- proc.time()[["elapsed"]]
  rows <- question()
  list(seconds = proc.time()[["elapsed"]] - started, rows = rows)
}
options(digits = 17)

if (arguments[1] == "reproduction") {
  need("EpiEstim")
  si <- as.numeric(readLines(arguments[3]))
  # EpiEstim wants a sum of exactly 1; what was cut is 2e-7.
  config <- suppressMessages(make_config(list(si_distr = si / sum(si), t_start = 2:(length(series[[1]]) - 6), t_end = 8:length(series[[1]]))))
  done <- timed(function() do.call(rbind, lapply(series, function(x)
    suppressWarnings(suppressMessages(estimate_R(x, method = "non_parametric_si", config = config)))$R[, 3:11])))
  finish(done$seconds, done$rows[, c(1, 2, 3, 4, 5, 6, 7, 8, 9)])
} else if (arguments[1] == "uncertain") {
  need("EpiEstim")
  few <- series[seq_len(as.integer(arguments[3]))]
  last <- length(few[[1]])
  config <- make_config(list(mean_si = 4.7, std_mean_si = .7, min_mean_si = 2.7, max_mean_si = 6.7, std_si = 2.9, std_std_si = .5,
                             min_std_si = 1.4, max_std_si = 4.4, n1 = 100, n2 = 100, seed = 1, t_start = 2:(last - 6), t_end = 8:last))
  done <- timed(function() do.call(rbind, lapply(few, function(x)
    suppressWarnings(suppressMessages(estimate_R(x, method = "uncertain_si", config = config)))$R[, c(3, 4, 5, 8, 11)])))
  finish(done$seconds, done$rows)
} else if (arguments[1] == "nowcast") {
  need("surveillance")
  few <- series[seq_len(as.integer(arguments[3]))]
  longest <- 15
  days <- length(few[[1]]) / (longest + 1)
  first <- as.Date("2020-01-01")
  when <- first + (days - 10):(days - 1)
  # A row for each report so far.
  reports <- lapply(few, function(x) {
    day <- rep(seq_len(days) - 1, each = longest + 1)
    delay <- rep(0:longest, days)
    known <- day + delay < days
    data.frame(event = first + rep(day[known], x[known]), report = first + rep((day + delay)[known], x[known]))
  })
  control <- list(N.tInf.max = 300, N.tInf.prior = structure("poisgamma", mean.lambda = 70, var.lambda = 3000))
  done <- timed(function() do.call(rbind, lapply(reports, function(x) {
    found <- suppressWarnings(suppressMessages(nowcast(now = first + days - 1, when = when, data = x, dEventCol = "event", dReportCol = "report",
      method = arguments[4], D = longest, m = NULL, control = control)))
    cbind(upperbound(found)[epoch(found) %in% when, 1])
  })))
  finish(done$seconds, done$rows)
} else if (arguments[1] == "ears") {
  need("surveillance")
  done <- timed(function() unlist(lapply(series, function(x)
    upperbound(earsC(sts(observed = matrix(x), frequency = 365), control = list(range = 10:length(x), method = "C2", alpha = .001))))))
  finish(done$seconds, done$rows)
} else if (arguments[1] == "farrington") {
  need("surveillance")
  few <- series[seq_len(as.integer(arguments[3]))]
  control <- list(range = 313:364, b = 5, w = 3, alpha = .01, reweight = TRUE, weightsThreshold = 2.58, trend = TRUE, pThresholdTrend = 1,
                  noPeriods = 10, pastWeeksNotIncluded = 26, thresholdMethod = "nbPlugin", limit54 = c(5, 4), glmWarnings = FALSE)
  dates <- as.Date("2014-01-06") + 7 * 0:363
  done <- timed(function() do.call(rbind, lapply(few, function(x) {
    found <- farringtonFlexible(sts(observed = matrix(x), start = c(2014, 2), frequency = 52, epoch = as.numeric(dates), epochAsDate = TRUE), control)
    cbind(found@control$expected, upperbound(found))
  })))
  finish(done$seconds, done$rows)
} else if (arguments[1] == "scenario") {
  si <- as.numeric(readLines(arguments[3]))[-1]
  r <- c(rep(.9, 99), rep(1.05, 100), rep(.95, 166))
  runs <- 200
  set.seed(1)
  done <- timed(function() t(sapply(series, function(x) {
    cases <- matrix(tail(x, length(si)), length(si), runs)
    cases <- rbind(cases, matrix(0, 365, runs))
    weights <- rev(si)
    for (day in 1:365)
      cases[length(si) + day, ] <- rpois(runs, r[day] * (weights %*% cases[day:(day + length(si) - 1), ]))
    new <- cases[-seq_along(si), ]
    bands <- apply(new, 1, quantile, c(.025, .25, .5, .75, .975))
    c(mean(colSums(new)), sum(bands[3, ]))
  })))
  finish(done$seconds, done$rows)
}
if (arguments[1] == "wt") {
  need("EpiEstim")
  si <- as.numeric(readLines(arguments[3]))
  windows <- function(x) list(si_distr = si / sum(si), t_start = 2:(length(x) - 6), t_end = 8:length(x), n_sim = 10)
  small <- suppressWarnings(suppressMessages(wallinga_teunis(series[[1]], method = "non_parametric_si", config = windows(series[[1]]))))$R
  seconds <- timed(function() tryCatch({
    setTimeLimit(elapsed = 20, transient = TRUE)
    suppressWarnings(suppressMessages(wallinga_teunis(series[[2]], method = "non_parametric_si", config = windows(series[[2]]))))
  }, error = function(stopped) NULL))$seconds
  finish(seconds, small[, 3])
}
