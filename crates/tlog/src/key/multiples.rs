//! Tables of the multiples of a point: what makes many verifications under one key cheap.
//!
//! `s·B − k·A` is here a sum of at most 64 points out of tables, one for each byte of s and of k, instead of 256
//! doublings. Addition on this curve is complete, so that the sum is the same point whatever the way to it;
//! nothing else about verifying changes. The time it takes tells the scalars: it is not for secrets.

use std::sync::LazyLock;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity as _;

/// Bytes of a scalar.
const BYTES: usize = 32;
/// The values of a byte that add something.
const VALUES: usize = 255;

/// For byte n of a scalar, from the lowest, and each value v of it but 0: v·256ⁿ times the point. About 1.3 MB.
pub(super) struct Multiples(Vec<EdwardsPoint>);

static BASE_POINT: LazyLock<Multiples> = LazyLock::new(|| Multiples::of(ED25519_BASEPOINT_POINT));

impl Multiples {
    /// Of a point: some eight thousand additions.
    pub fn of(point: EdwardsPoint) -> Self {
        let mut table = Vec::with_capacity(BYTES * VALUES);
        let mut unit = point;
        for _ in 0..BYTES {
            let mut multiple = unit;
            for _ in 0..VALUES {
                table.push(multiple);
                multiple += unit;
            }
            unit = multiple;
        }
        Self(table)
    }

    /// `scalar` times the base point of the curve plus `by` times this point, encoded.
    pub fn combined(&self, scalar: &Scalar, by: &Scalar) -> [u8; 32] {
        let terms = BASE_POINT.terms(scalar).chain(self.terms(by));
        terms.fold(EdwardsPoint::identity(), |sum, term| sum + term).compress().to_bytes()
    }

    fn terms(&self, scalar: &Scalar) -> impl Iterator<Item = &EdwardsPoint> {
        let rows = self.0.chunks_exact(VALUES).zip(scalar.to_bytes());
        rows.filter_map(|(row, byte)| row.get(usize::from(byte).checked_sub(1)?))
    }
}

impl std::fmt::Debug for Multiples {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Multiples")
    }
}
