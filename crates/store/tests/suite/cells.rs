//! The contract of cells.

use std::sync::Arc;
use store::{Cells, CellsError, Swap};

#[expect(clippy::unnecessary_wraps, reason = "a cell's value is one")]
fn bytes(text: &str) -> Option<Vec<u8>> {
    Some(text.as_bytes().to_vec())
}

pub async fn all(cells: Arc<dyn Cells>) {
    one_cell(&*cells).await;
    several_cells(&*cells).await;
    absence(&*cells).await;
    pages(&*cells).await;
    limits(&*cells).await;
    contention(cells).await;
}

async fn one_cell(cells: &dyn Cells) {
    assert_eq!(cells.get("one", "a").await.unwrap(), None);
    assert!(cells.swap("one", "a", None, bytes("1")).await.unwrap());
    assert!(!cells.swap("one", "a", None, bytes("2")).await.unwrap(), "it is not absent any more");
    assert!(!cells.swap("one", "a", bytes("0"), bytes("2")).await.unwrap(), "it holds another value");
    assert!(!cells.swap("one", "a", bytes("0"), None).await.unwrap());
    assert!(cells.swap("one", "a", bytes("1"), bytes("")).await.unwrap());
    assert_eq!(cells.get("one", "a").await.unwrap(), bytes(""), "empty is not absent");
    assert_eq!(cells.get("two", "a").await.unwrap(), None, "spaces are apart");
    assert!(cells.swap("one", "a", bytes(""), None).await.unwrap());
    assert_eq!(cells.get("one", "a").await.unwrap(), None);
}

async fn several_cells(cells: &dyn Cells) {
    let change = [
        Swap::new("several", "a", None, bytes("a1")),
        Swap::new("several", "b", None, bytes("b1")),
        Swap::new("others", "a", None, bytes("o1")),
    ];
    assert!(cells.swap_all(&change).await.unwrap());
    let refused = [
        Swap::new("several", "a", bytes("a1"), bytes("a2")),
        Swap::new("several", "b", bytes("b0"), bytes("b2")),
        Swap::new("several", "c", None, bytes("c2")),
    ];
    assert!(!cells.swap_all(&refused).await.unwrap());
    assert_eq!(cells.get("several", "a").await.unwrap(), bytes("a1"), "all or none");
    assert_eq!(cells.get("several", "c").await.unwrap(), None, "all or none");
    let mixed = [
        Swap::new("several", "a", bytes("a1"), None),
        Swap::new("several", "b", bytes("b1"), bytes("b2")),
        Swap::new("several", "c", None, bytes("c2")),
        Swap::new("others", "a", bytes("o1"), bytes("o1")),
    ];
    assert!(cells.swap_all(&mixed).await.unwrap());
    assert_eq!(cells.get("several", "a").await.unwrap(), None);
    assert_eq!(cells.get("several", "b").await.unwrap(), bytes("b2"));
    assert_eq!(cells.get("several", "c").await.unwrap(), bytes("c2"));
    let held = Swap::new("others", "a", bytes("o2"), bytes("o2"));
    assert!(!cells.swap_all(&[held]).await.unwrap(), "an unchanged cell must hold its value");
}

async fn absence(cells: &dyn Cells) {
    let absent = |key| Swap::new("absence", key, None, None);
    assert!(cells.swap_all(&[absent("x"), Swap::new("absence", "y", None, bytes("1"))]).await.unwrap());
    assert!(!cells.swap_all(&[absent("y"), Swap::new("absence", "z", None, bytes("1"))]).await.unwrap());
    assert_eq!(cells.get("absence", "z").await.unwrap(), None);
}

async fn pages(cells: &dyn Cells) {
    // Byte order, in which capitals go before small letters, also where the machine's language differs.
    let keys = ["B/1", "a/1", "a/10", "a/2", "a/Z", "a/ä", "b/1"];
    for key in keys {
        assert!(cells.swap("pages", key, None, bytes(key)).await.unwrap());
    }
    let names = |page: Vec<(String, Vec<u8>)>| {
        page.into_iter()
            .map(|(key, value)| (String::from_utf8(value).unwrap() == key).then_some(key).unwrap())
    };
    let all: Vec<String> = names(cells.scan("pages", "", None, 100).await.unwrap()).collect();
    assert_eq!(all, keys);
    let first: Vec<String> = names(cells.scan("pages", "a/", None, 2).await.unwrap()).collect();
    assert_eq!(first, ["a/1", "a/10"]);
    let next: Vec<String> = names(cells.scan("pages", "a/", Some("a/10"), 9).await.unwrap()).collect();
    assert_eq!(next, ["a/2", "a/Z", "a/ä"]);
    assert_eq!(cells.scan("pages", "a/", Some("a/ä"), 9).await.unwrap(), []);
    assert_eq!(cells.scan("pages", "a%", None, 9).await.unwrap(), [], "a prefix is no pattern");
    assert_eq!(cells.scan("nothing", "", None, 9).await.unwrap(), []);
}

async fn limits(cells: &dyn Cells) {
    let long = "k".repeat(store::cells::MAX_KEY + 1);
    for key in ["", "a\nb", "a\0b", &long] {
        let refused = cells.swap("limits", key, None, bytes("1")).await;
        assert!(matches!(refused, Err(CellsError::Key { .. })), "{key:?}");
    }
    let large = Some(vec![0; store::cells::MAX_VALUE + 1]);
    assert!(matches!(cells.swap("limits", "a", None, large).await, Err(CellsError::Value { .. })));
    let twice = [Swap::new("limits", "a", None, bytes("1")), Swap::new("limits", "a", None, bytes("2"))];
    assert!(matches!(cells.swap_all(&twice).await, Err(CellsError::Twice { .. })));
    let many: Vec<Swap> = (0..700).map(|n| Swap::new("many", &format!("{n:04}"), None, bytes("x"))).collect();
    assert!(cells.swap_all(&many).await.unwrap());
    assert_eq!(cells.scan("many", "", None, 1000).await.unwrap().len(), 700);
}

/// Many tasks move money between cells; whoever loses a swap reads again. None is made or lost.
async fn contention(cells: Arc<dyn Cells>) {
    const TASKS: usize = 8;
    const MOVES: usize = 10;
    for key in ["x", "y", "z"] {
        assert!(cells.swap("purse", key, None, bytes("1000")).await.unwrap());
    }
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let cells = Arc::clone(&cells);
            tokio::spawn(async move {
                for turn in 0..MOVES {
                    let (from, to) = [("x", "y"), ("y", "z"), ("z", "x")][(task + turn) % 3];
                    while !move_one(&*cells, from, to).await {}
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let purses = cells.scan("purse", "", None, 9).await.unwrap();
    let sum: u32 = purses.iter().map(|(_, value)| amount(value)).sum();
    assert_eq!(sum, 3000);
}

fn amount(value: &[u8]) -> u32 {
    std::str::from_utf8(value).unwrap().parse().unwrap()
}

async fn move_one(cells: &dyn Cells, from: &str, to: &str) -> bool {
    let old_from = cells.get("purse", from).await.unwrap().unwrap();
    let old_to = cells.get("purse", to).await.unwrap().unwrap();
    let less = (amount(&old_from) - 1).to_string().into_bytes();
    let more = (amount(&old_to) + 1).to_string().into_bytes();
    let change = [
        Swap::new("purse", from, Some(old_from), Some(less)),
        Swap::new("purse", to, Some(old_to), Some(more)),
    ];
    cells.swap_all(&change).await.unwrap()
}
