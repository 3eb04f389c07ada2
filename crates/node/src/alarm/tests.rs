use super::*;

fn refused(log: usize, index: u64) -> Alarm {
    let origin = format!("a.example/log/public/2026.{log}");
    let alarm = Alarm::new("seal-refused").with("author", "a.example").with("origin", &origin);
    alarm.with("name", &index.to_string()).of_facts(vec![Fact::entry(&origin, index)])
}

async fn kept(cells: &dyn Cells) -> Alarm {
    let [alarm] = &list(cells).await.unwrap()[..] else { panic!("one") };
    alarm.clone()
}

async fn settled(cells: &dyn Cells) {
    settle(cells, &kept(cells).await.id(), "told them").await.unwrap();
}

#[tokio::test]
async fn however_many_logs_of_an_author_tell_of_something_it_is_one_alarm_and_all_are_known_again() {
    let cells = store::MemoryCells::default();
    for log in 0..601 {
        raise(&cells, refused(log, 1)).await;
    }
    let alarm = kept(&cells).await;
    assert_eq!((alarm.count, alarm.arguments["origin"].as_str()), (601, "a.example/log/public/2026.0"));
    let said = serde_json::json!(alarm).to_string();
    assert!(said.len() < 1_000, "{said}");
    settled(&cells).await;
    raise_all(&cells, (0..601).rev().map(|log| refused(log, 1)).collect()).await;
    let alarm = kept(&cells).await;
    assert_eq!((alarm.count, alarm.settled.is_some()), (601, true));
}

#[tokio::test]
async fn what_is_read_again_is_nothing_new_in_whatever_order_logs_come() {
    let cells = store::MemoryCells::default();
    raise_all(&cells, vec![refused(2, 9), refused(1, 3), refused(1, 4)]).await;
    settled(&cells).await;
    raise_all(&cells, vec![refused(1, 3), refused(1, 4), refused(2, 9)]).await;
    assert!(kept(&cells).await.settled.is_some());
    raise(&cells, refused(1, 5)).await;
    let alarm = kept(&cells).await;
    assert_eq!((alarm.count, alarm.settled), (4, None));
}

#[tokio::test]
async fn what_comes_late_at_an_earlier_place_rings_a_settled_alarm() {
    let cells = store::MemoryCells::default();
    raise(&cells, refused(1, 5_000)).await;
    for index in [4_999, 0, 5_001] {
        settled(&cells).await;
        raise(&cells, refused(1, index)).await;
        assert_eq!(kept(&cells).await.settled, None, "{index}");
    }
}

#[tokio::test]
async fn a_fact_that_is_known_at_one_place_is_known_at_all() {
    let cells = store::MemoryCells::default();
    let at = |places: &[u64]| {
        let places = places.iter().map(|index| Fact::entry("a.example/log/public/2026", *index)).collect();
        Alarm::new("conflicting-edition").with("author", "a.example").of_facts(places)
    };
    raise_all(&cells, vec![at(&[7, 8]), at(&[8])]).await;
    settled(&cells).await;
    raise(&cells, at(&[8, 9])).await;
    let alarm = kept(&cells).await;
    assert_eq!((alarm.count, alarm.settled.is_some()), (1, true));
}
