//! Trees, tiles and proofs: small trees exhaustively, large ones by sample, against the definition of RFC 6962.

mod fixture;

use fixture::{Log, leaf};
use proptest::prelude::*;
use tlog::tile::{tile_bytes, tile_hashes, tiles_between};
use tlog::tree::{prove_consistency, prove_inclusion, tile_root, tiles_for_consistency, tiles_for_inclusion};
use tlog::{
    EMPTY_ROOT, Edge, Hash, ProofError, TileId, TreeError, leaf_hash, node_hash, root_of_leaves,
    verify_consistency, verify_inclusion,
};

/// The roots of the reference tree of Certificate Transparency, for its first 1 to 8 leaves.
#[test]
fn reference_tree_of_certificate_transparency() {
    let leaves: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"PQRSTUVW",
        b"`abcdefghijklmno",
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut edge = Edge::new();
    assert_eq!(edge.root(), EMPTY_ROOT);
    for (entry, root) in leaves.into_iter().zip(roots) {
        edge.append(leaf_hash(entry), &mut |tile, _| panic!("{tile} cannot be full"));
        assert_eq!(edge.root().to_hex(), root);
    }
}

#[test]
fn edge_has_the_root_of_the_definition_at_every_size() {
    let mut log = Log::default();
    for size in 0..=600 {
        log.grow(size);
        assert_eq!(log.edge.root(), root_of_leaves(&log.leaves), "size {size}");
        let read = Edge::from_tiles(size, log.source()).expect("all tiles are there");
        assert_eq!(read, log.edge, "size {size}");
    }
}

#[test]
fn every_inclusion_proof_up_to_300_entries_verifies_at_its_place_only() {
    let mut log = Log::default();
    for size in 1..=300 {
        log.grow(size);
        let (root, source) = (log.edge.root(), log.source());
        for index in 0..size {
            let proof = prove_inclusion(index, size, &source).expect("all tiles are there");
            assert_eq!(verify_inclusion(leaf(index), index, size, &proof, root), Ok(()), "{index} of {size}");
            if let Some(other) = [index + 1, index ^ 1, size - 1 - index].into_iter().find(|n| *n != index) {
                assert!(
                    verify_inclusion(leaf(index), other, size, &proof, root).is_err(),
                    "{index} of {size}"
                );
            }
        }
    }
}

#[test]
fn every_consistency_proof_up_to_300_entries_verifies() {
    let mut log = Log::default();
    let mut roots = vec![EMPTY_ROOT];
    for new in 1..=300 {
        log.grow(new);
        roots.push(log.edge.root());
        let source = log.source();
        for old in 0..=new {
            let proof = prove_consistency(old, new, &source).expect("all tiles are there");
            let at = |size: u64| roots[usize::try_from(size).expect("small")];
            assert_eq!(verify_consistency(old, at(old), new, at(new), &proof), Ok(()), "{old} to {new}");
            if old != 0 && old != new {
                assert!(
                    verify_consistency(old, at(old - 1), new, at(new), &proof).is_err(),
                    "{old} to {new}"
                );
                assert!(
                    verify_consistency(old, at(old), new, at(new - 1), &proof).is_err(),
                    "{old} to {new}"
                );
            }
        }
    }
}

#[test]
fn a_proof_with_a_hash_more_or_less_fails() {
    let log = Log::of(300);
    let (root, source) = (log.edge.root(), log.source());
    let proof = prove_inclusion(255, 300, &source).expect("tiles");
    let shorter = &proof[..proof.len() - 1];
    let longer = [proof.as_slice(), &[root]].concat();
    assert_eq!(
        verify_inclusion(leaf(255), 255, 300, shorter, root),
        Err(ProofError::Length { found: shorter.len() })
    );
    assert_eq!(
        verify_inclusion(leaf(255), 255, 300, &longer, root),
        Err(ProofError::Length { found: longer.len() })
    );
    let old_root = Log::of(77).edge.root();
    let proof = prove_consistency(77, 300, &source).expect("tiles");
    for wrong in [proof[..proof.len() - 1].to_vec(), [proof.as_slice(), &[root]].concat(), Vec::new()] {
        assert_eq!(
            verify_consistency(77, old_root, 300, root, &wrong),
            Err(ProofError::Length { found: wrong.len() })
        );
    }
}

#[test]
fn every_flipped_bit_of_a_proof_fails() {
    let flip = |hash: Hash, bit: usize| {
        let mut flipped = hash;
        flipped.0[bit / 8] ^= 1 << (bit % 8);
        flipped
    };
    let log = Log::of(301);
    let (root, source) = (log.edge.root(), log.source());
    for index in [0, 1, 128, 255, 256, 299, 300] {
        let proof = prove_inclusion(index, 301, &source).expect("tiles");
        for (n, bit) in (0..proof.len()).flat_map(|n| (0..256).map(move |bit| (n, bit))) {
            let mut forged = proof.clone();
            forged[n] = flip(forged[n], bit);
            assert!(matches!(
                verify_inclusion(leaf(index), index, 301, &forged, root),
                Err(ProofError::Root { .. })
            ));
        }
        for bit in 0..256 {
            assert!(verify_inclusion(flip(leaf(index), bit), index, 301, &proof, root).is_err());
            assert!(verify_inclusion(leaf(index), index, 301, &proof, flip(root, bit)).is_err());
        }
    }
    for old in [1, 2, 3, 128, 255, 256, 257, 300] {
        let old_root = root_of_leaves(&log.leaves[..usize::try_from(old).expect("small")]);
        let proof = prove_consistency(old, 301, &source).expect("tiles");
        for (n, bit) in (0..proof.len()).flat_map(|n| (0..256).map(move |bit| (n, bit))) {
            let mut forged = proof.clone();
            forged[n] = flip(forged[n], bit);
            assert!(
                verify_consistency(old, old_root, 301, root, &forged).is_err(),
                "{old}: hash {n}, bit {bit}"
            );
        }
    }
}

#[test]
fn proofs_that_cannot_be_are_refused_by_name() {
    let none = |_: TileId| None;
    assert_eq!(
        prove_inclusion(5, 5, none),
        Err(TreeError::Proof(ProofError::IndexOutside { index: 5, size: 5 }))
    );
    assert_eq!(prove_consistency(6, 5, none), Err(TreeError::Proof(ProofError::Shrinks { old: 6, new: 5 })));
    assert_eq!(prove_inclusion(0, u64::MAX, none), Err(TreeError::Proof(ProofError::TooLarge(u64::MAX))));
    assert_eq!(
        verify_inclusion(EMPTY_ROOT, 0, 0, &[], EMPTY_ROOT),
        Err(ProofError::IndexOutside { index: 0, size: 0 })
    );
    assert_eq!(
        verify_consistency(3, EMPTY_ROOT, 2, EMPTY_ROOT, &[]),
        Err(ProofError::Shrinks { old: 3, new: 2 })
    );
    let tile = TileId { level: 0, index: 0, width: 5 };
    assert_eq!(prove_inclusion(0, 5, none), Err(TreeError::Missing(tile)));
    assert_eq!(prove_inclusion(0, 5, |_| Some(vec![0; 64])), Err(TreeError::TooNarrow { tile, found: 2 }));
    assert!(matches!(prove_inclusion(0, 5, |_| Some(vec![0; 63])), Err(TreeError::Tile { .. })));
}

#[test]
fn empty_trees_are_proven_by_nothing_and_have_one_root() {
    let root = Log::of(5).edge.root();
    assert_eq!(verify_consistency(0, EMPTY_ROOT, 5, root, &[]), Ok(()));
    assert_eq!(verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, &[]), Ok(()));
    assert!(verify_consistency(0, root, 5, root, &[]).is_err());
    assert!(verify_consistency(0, EMPTY_ROOT, 0, root, &[]).is_err());
    assert_eq!(verify_consistency(0, EMPTY_ROOT, 5, root, &[root]), Err(ProofError::Length { found: 1 }));
    assert_eq!(verify_consistency(5, root, 5, root, &[]), Ok(()));
    assert!(verify_consistency(5, root, 5, EMPTY_ROOT, &[]).is_err());
}

#[test]
fn a_full_tile_has_the_root_of_its_hashes() {
    let leaves: Vec<Hash> = (0..256).map(leaf).collect();
    let tile: &[Hash; 256] = leaves.as_slice().try_into().expect("256");
    assert_eq!(tile_root(tile), root_of_leaves(&leaves));
    assert_eq!(tile_hashes(&tile_bytes(&leaves)), Ok(leaves));
}

/// A tree of any size whose entries are all the same, so that every complete subtree of one height is.
struct Uniform {
    /// By height.
    complete: Vec<Hash>,
}

impl Uniform {
    fn new() -> Self {
        let mut complete = vec![leaf(0)];
        for height in 0..63 {
            complete.push(node_hash(complete[height], complete[height]));
        }
        Self { complete }
    }

    fn tile(&self, tile: TileId) -> Vec<u8> {
        tile_bytes(&vec![self.complete[8 * usize::from(tile.level)]; usize::from(tile.width)])
    }

    fn root(&self, size: u64) -> Hash {
        let heights = (0..63).filter(|height| size >> height & 1 == 1).map(|height| self.complete[height]);
        heights.reduce(|right, left| node_hash(left, right)).unwrap_or(EMPTY_ROOT)
    }
}

proptest! {
    #[test]
    fn proofs_of_trees_up_to_the_largest_size(
        size in prop_oneof![1_u64..=1 << 20, 1_u64..=i64::MAX as u64, Just(i64::MAX as u64)],
        place in any::<prop::sample::Index>(),
    ) {
        let uniform = Uniform::new();
        let root = uniform.root(size);
        let index = u64::try_from(place.index(usize::try_from(size).expect("64 bits"))).expect("64 bits");

        let asked = tiles_for_inclusion(index, size).expect("in the tree");
        let source = |tile: TileId| { assert!(asked.contains(&tile), "{tile}"); Some(uniform.tile(tile)) };
        let proof = prove_inclusion(index, size, source).expect("all tiles");
        prop_assert!(proof.len() <= 63);
        prop_assert_eq!(verify_inclusion(leaf(0), index, size, &proof, root), Ok(()));

        let old = index;
        let asked = tiles_for_consistency(old, size).expect("not larger");
        let source = |tile: TileId| { assert!(asked.contains(&tile), "{tile}"); Some(uniform.tile(tile)) };
        let proof = prove_consistency(old, size, source).expect("all tiles");
        prop_assert_eq!(verify_consistency(old, uniform.root(old), size, root, &proof), Ok(()));

        let edge = Edge::from_tiles(size, |tile| Some(uniform.tile(tile))).expect("all tiles");
        prop_assert_eq!(edge.root(), root);
        let mut grown = edge;
        if size < i64::MAX as u64 {
            grown.append(leaf(0), &mut |_, _| ());
            prop_assert_eq!(grown.root(), uniform.root(size + 1));
        }
    }
}

#[test]
fn samples_of_a_tree_of_70_000_different_entries() {
    let mut log = Log::of(40_000);
    let old_root = log.edge.root();
    log.grow(70_000);
    let (root, source) = (log.edge.root(), log.source());
    assert_eq!(root, root_of_leaves(&log.leaves));
    for index in (0..70_000).step_by(997).chain([69_999, 65_535, 65_536]) {
        let proof = prove_inclusion(index, 70_000, &source).expect("tiles");
        assert_eq!(verify_inclusion(leaf(index), index, 70_000, &proof, root), Ok(()));
    }
    let proof = prove_consistency(40_000, 70_000, &source).expect("tiles");
    assert_eq!(verify_consistency(40_000, old_root, 70_000, root, &proof), Ok(()));
}

#[test]
fn what_a_growing_log_writes_is_what_tiles_between_names() {
    for (old, new) in [(0, 1), (1, 255), (255, 256), (256, 257), (250, 600), (0, 66_000), (65_500, 65_600)] {
        let mut log = Log::of(old);
        let mut written = Vec::new();
        for n in old..new {
            log.edge.append(leaf(n), &mut |tile, bytes| written.push((tile, bytes)));
        }
        written.extend(log.edge.partials().into_iter().filter(|(tile, _)| {
            // Partial tiles of upper levels that did not change are there already.
            TileId::in_tree(tile.level, tile.index, old) != Some(*tile)
        }));
        written.sort();
        let names: Vec<TileId> = written.iter().map(|(tile, _)| *tile).collect();
        assert_eq!(names, tiles_between(old, new).collect::<Vec<_>>(), "{old} to {new}");
        assert!(written.iter().all(|(tile, bytes)| bytes.len() == 32 * usize::from(tile.width)));
    }
}
