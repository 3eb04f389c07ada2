# Makes alarms-series.csv and alarms.csv: what an implementation that is not ours answers on series made here.
#
#   Rscript alarms.R           R 4.2.2, surveillance 1.20.3 (Debian 12: r-cran-surveillance)
#
# Only numbers come from it. The series are our own: FARR364 and EARS20 are written down, the others drawn by R's generator.
suppressMessages(library(surveillance))
options(digits = 17)

farr364 <- scan(text = "9,10,5,8,9,21,9,12,12,4,16,11,16,12,9,19,9,5,3,9,8,5,0,7,7,6,8,1,8,0,4,6,3,7,8,3,4,4,11,3,7,2,3,6,2,3,8,8,8,9,7,3,2,14,8,6,8,11,10,16,6,3,11,6,25,6,3,13,7,13,10,5,8,4,11,7,1,5,2,7,11,4,5,9,5,5,4,0,4,8,3,6,3,9,5,6,2,4,6,13,5,9,7,5,13,4,11,8,8,17,10,10,15,11,9,4,11,13,26,15,14,13,10,14,9,4,9,3,8,5,8,6,2,11,3,10,5,5,6,6,3,4,4,7,2,4,9,10,8,5,2,8,7,5,6,6,5,11,7,7,11,7,10,14,12,9,20,13,5,7,12,6,14,8,15,11,9,12,10,5,8,7,10,5,12,11,4,6,3,2,17,1,10,4,4,3,9,2,2,9,2,7,9,7,3,11,4,4,13,3,6,8,18,3,6,9,13,12,4,11,20,13,14,10,12,9,3,13,13,22,13,16,5,12,4,6,6,2,4,7,7,6,9,9,2,5,10,5,1,4,10,4,8,6,3,8,5,8,4,9,7,5,22,23,9,10,4,13,3,18,12,3,8,18,18,9,10,14,18,2,4,17,7,13,5,4,3,12,9,4,8,8,7,6,2,3,10,6,4,4,1,5,11,11,4,6,10,5,12,7,3,8,15,10,8,9,6,11,13,9,16,16,16,17,13,12,15,14,19,16,6,15,8,8,5,8,11,11,4,6,2,7,6,6,5,0,7,1,2,3,6,2,5,7,7,10,3,9,11,12,7,1,40,9", sep = ",", quiet = TRUE)
ears20 <- c(5,4,6,7,5,3,6,8,5,4,6,5,7,20,9,6,5,15,14,6)

set.seed(20260101)
weeks <- 0:430
season <- function(level, swing) exp(level + swing * sin(2 * pi * weeks / 52.18))
outbreaks <- function(x, at, size) { x[at] <- x[at] + size; x }
made <- list(
  FARR364 = farr364,
  rising = outbreaks(rnbinom(431, mu = season(2.5, .6) * exp(.003 * weeks), size = 4), c(150, 151, 152, 400, 420), c(60, 80, 40, 90, 50)),
  sparse = outbreaks(rpois(431, season(-.4, .8)), c(395, 396, 425), c(7, 6, 9)),
  large = outbreaks(rnbinom(431, mu = season(6.2, .3), size = 30), c(200:206, 410), c(900, 1200, 1500, 1400, 900, 500, 200, 800)),
  silent = outbreaks(rpois(431, pmax(0, 3 * sin(2 * pi * weeks / 52.18))), c(415, 428), c(6, 11))
)
start <- as.Date("2014-01-06")
stopifnot(sum(farr364) == 2948)

series <- do.call(rbind, lapply(c(names(made), "EARS20"), function(name) {
  x <- if (name == "EARS20") ears20 else made[[name]]
  data.frame(series = name, point = seq_along(x), count = x)
}))
write.csv(series, "alarms-series.csv", row.names = FALSE, quote = FALSE)

rows <- list()
add <- function(series, method, form, alpha, years, half, point, expected, upper, alarm, p)
  rows[[length(rows) + 1]] <<- data.frame(series, method, form, alpha, years, half, point,
    expected = signif(expected, 12), upper = signif(upper, 12), alarm = as.integer(alarm), p = signif(p, 12))

for (name in names(made)) for (form in c("calendar", "index")) {
  x <- made[[name]]
  n <- length(x)
  dates <- start + 7 * (seq_along(x) - 1)
  as_sts <- sts(observed = matrix(x), start = c(2014, 2), frequency = 52,
                epoch = if (form == "calendar") as.numeric(dates) else seq_along(x), epochAsDate = form == "calendar")
  for (set in list(list(b = 5, w = 3, alpha = .01), list(b = 5, w = 3, alpha = .05), list(b = 2, w = 4, alpha = .005))) {
    range <- if (set$b == 5) tail(seq_len(n), 40) else tail(seq_len(n), 12)
    if (name == "FARR364") range <- if (set$alpha == .01) 275:364 else 340:364
    flexible <- suppressWarnings(farringtonFlexible(as_sts, control = list(range = range, b = set$b, w = set$w, alpha = set$alpha,
      reweight = TRUE, weightsThreshold = 2.58, trend = TRUE, pThresholdTrend = 1, noPeriods = 10, pastWeeksNotIncluded = 26,
      thresholdMethod = "nbPlugin", limit54 = c(5, 4), glmWarnings = FALSE)))
    classic <- suppressWarnings(farrington(as_sts, control = list(range = range, b = set$b, w = set$w, alpha = set$alpha,
      reweight = TRUE, trend = TRUE, limit54 = c(5, 4), powertrans = "2/3")))
    for (i in seq_along(range)) {
      add(name, "farrington-flexible", form, set$alpha, set$b, set$w, range[i], flexible@control$expected[i],
          upperbound(flexible)[i], alarms(flexible)[i], flexible@control$pvalue[i])
      add(name, "farrington", form, set$alpha, set$b, set$w, range[i], classic@control$pd[i, 2], upperbound(classic)[i],
          alarms(classic)[i], 1 - classic@control$pd[i, 1])
    }
  }
}

for (name in c("EARS20", "sparse", "large")) {
  x <- if (name == "EARS20") ears20 else head(made[[name]], 60)
  as_sts <- sts(observed = matrix(x), frequency = 365)
  for (method in c("C1", "C2", "C3")) {
    from <- c(C1 = 8, C2 = 10, C3 = 12)[[method]]
    alpha <- c(C1 = .001, C2 = .001, C3 = .025)[[method]]
    found <- earsC(as_sts, control = list(range = from:length(x), method = method, alpha = alpha))
    for (i in seq_len(nrow(found)))
      add(name, paste0("ears-", tolower(method)), "index", alpha, NA, NA, from + i - 1, NA, upperbound(found)[i], alarms(found)[i], NA)
  }
  m <- if (name == "EARS20") 5.5 else mean(x[1:20])
  from <- if (name == "EARS20") 8 else 21
  sum <- algo.cusum(list(observed = x, state = rep(0, length(x)), freq = 365, start = c(2020, 1)),
                    control = list(range = from:length(x), k = 1.04, h = 2.26, m = m, trans = "standard"))
  for (i in seq_along(sum$alarm))
    add(name, "cusum", "index", NA, NA, NA, from + i - 1, m, sum$upperbound[i], sum$alarm[i], NA)
}
write.csv(do.call(rbind, rows), "alarms.csv", row.names = FALSE, quote = FALSE)
