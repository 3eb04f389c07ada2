//! Ed25519 is verified in one way only, the strictest: every edge case has the answer stated here.

use tlog::{KeyError, KeyType, PreparedKey, SecretKey, VerifierKey, verify_strict};

fn hex<const N: usize>(text: &str) -> [u8; N] {
    bytes(text).try_into().expect("the length")
}

fn bytes(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|n| u8::from_str_radix(&text[n..n + 2], 16).expect("hexadecimal"))
        .collect()
}

/// RFC 8032 section 7.1, tests 1 to 3: seed, public key, message, signature.
const RFC_8032: [[&str; 4]; 3] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
];

/// The verdict, which must be the same with tables of the key's multiples.
fn verify(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let verdict = verify_strict(public, message, signature);
    if let Some(key) = PreparedKey::new(public) {
        assert_eq!(key.for_many().verify(message, signature), verdict);
    }
    verdict
}

#[test]
fn signs_and_verifies_as_rfc_8032() {
    for [seed, public, message, signature] in RFC_8032 {
        let secret = SecretKey::from_seed(hex(seed));
        assert_eq!(secret.public(), hex::<32>(public));
        assert_eq!(secret.sign(&bytes(message)), hex::<64>(signature));
        assert!(verify(&hex(public), &bytes(message), &hex(signature)));
    }
}

#[test]
fn any_flipped_bit_of_a_signature_or_message_fails() {
    let [_, public, message, signature] = RFC_8032[2];
    let key = PreparedKey::new(&hex(public)).expect("the key");
    let (message, signature) = (bytes(message), hex::<64>(signature));
    for key in [&key, &key.for_many()] {
        assert!(key.verify(&message, &signature));
        for bit in 0..512 {
            let mut forged = signature;
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verify(&message, &forged), "bit {bit} of the signature");
        }
        for bit in 0..16 {
            let mut other = message.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verify(&other, &signature), "bit {bit} of the message");
        }
    }
}

#[test]
fn s_plus_the_group_order_fails() {
    let [_, public, message, signature] = RFC_8032[1];
    let order: [u8; 32] = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut forged = hex::<64>(signature);
    let mut carry = 0;
    for (byte, add) in forged[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert!(!verify(&hex(public), &bytes(message), &forged));
}

#[test]
fn of_the_cases_of_taming_the_many_eddsas_only_the_third_is_accepted() {
    let accepted: Vec<usize> = include_str!("vectors/ed25519-speccheck.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .enumerate()
        .filter(|(_, line)| {
            let fields: Vec<&str> = line.split(' ').collect();
            verify(&hex(fields[0]), &bytes(fields[2]), &hex(fields[1]))
        })
        .map(|(case, _)| case)
        .collect();
    // 3: points with a component of small order, where the equation holds without the cofactor.
    // 0, 1, 2: small order. 4, 5: only with the cofactor. 6, 7: s too large. 8 to 11: not canonical.
    assert_eq!(accepted, [3]);
}

#[test]
fn edge_cases_are_refused_exactly_if_a_rule_says_so() {
    const REFUSED: [&str; 6] = [
        "low_order_A",
        "low_order_R",
        "non_canonical_A",
        "non_canonical_R",
        "low_order_residue",
        "reencoded_k",
    ];
    let (mut accepted, mut refused) = (0, 0);
    for line in include_str!("vectors/ed25519-cctv.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.splitn(5, ' ');
        let mut next = || fields.next().expect("five fields");
        let (number, flags, key, signature, message) = (next(), next(), next(), next(), next());
        let expected = !flags.split(',').any(|flag| REFUSED.contains(&flag));
        assert_eq!(
            verify(&hex(key), message.as_bytes(), &hex(signature)),
            expected,
            "vector {number} with {flags}"
        );
        *(if expected { &mut accepted } else { &mut refused }) += 1;
    }
    assert_eq!((accepted, refused), (7, 182));
}

#[test]
fn keys_that_are_not_canonical_or_of_small_order_are_no_keys() {
    // The eight points of small order, their other encodings, y >= p, and a y of no point.
    let refused = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0200000000000000000000000000000000000000000000000000000000000000",
    ];
    for key in refused {
        assert!(PreparedKey::new(&hex(key)).is_none(), "{key}");
        assert_eq!(VerifierKey::new("a.example", KeyType::Ed25519, hex(key)), Err(KeyError::Point), "{key}");
    }
}
