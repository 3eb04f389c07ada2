//! Many series on many threads. A thread has whole series and never a part of a sum, and answers come in the order of the series:
//! so the number of threads changes nothing but the time.

use rayon::prelude::*;

/// `answer` for each of `all`, in their order.
pub fn each<T: Sync, U: Send>(all: &[T], answer: impl Fn(&T) -> U + Sync + Send) -> Vec<U> {
    all.par_iter().map(answer).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn answers_come_in_the_order_of_the_series() {
        let all: Vec<u32> = (0..1000).collect();
        assert_eq!(super::each(&all, |n| n + 1), (1..1001).collect::<Vec<_>>());
    }
}
