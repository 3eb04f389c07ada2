//! Who is in a meeting: those who may be, as soon as they may and no longer, whatever strangers do meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};

use e2e::{Authority, Delegate, Line, World, free_ports, join};
use livekit_protocol::DisconnectReason;

/// Whoever shows no good token.
const STRANGER: &str = "203.0.113.9";
/// At least so many bad tokens come while others join.
const BAD: usize = 400;

#[test]
fn bad_tokens_hold_up_nobody_who_has_a_good_one() {
    let mut world = World::new(&["a.example"]);
    let a = &mut world.nodes[0];
    a.carry_meetings();
    a.serve();
    let token = a.colleague().ticket(&a.client()).expect("a ticket");
    let (port, over) = (a.port, AtomicBool::new(false));
    // As a proxy on this machine passes them on: what the client says itself, then what the proxy saw.
    let seen = |address: &str| format!("127.0.0.1, {address}");
    let knocks = |token: &str, from: &str| join(port, token, &[("X-Forwarded-For", &seen(from))]);
    let bad = || {
        let mut refused = Vec::new();
        while refused.len() < BAD / 4 || !over.load(Ordering::Relaxed) {
            refused.push(knocks("eyJhbGciOiJIUzI1NiJ9.e30.AAAA", STRANGER).err().expect("refused"));
        }
        refused
    };
    let (refused, served) = std::thread::scope(|scope| {
        let crowd: Vec<_> = (0..4).map(|_| scope.spawn(bad)).collect();
        // Behind the stranger's address too, as in one building.
        let served = ["198.51.100.7", "203.0.113.10", STRANGER]
            .map(|from| (0..100).filter(|_| knocks(&token, from).is_ok_and(|mut line| line.is_in())).count());
        over.store(true, Ordering::Relaxed);
        let refused: Vec<u16> = crowd.into_iter().flat_map(|bad| bad.join().expect("a crowd")).collect();
        (refused, served)
    });
    assert!(served.iter().all(|served| *served >= 99), "{served:?} of 100 each");
    assert!(refused.iter().all(|status| [401, 429].contains(status)), "{refused:?}");
    let told_to_wait = refused.iter().filter(|status| **status == 429).count();
    assert!(told_to_wait > refused.len() / 4, "{told_to_wait} of {} were told to wait", refused.len());
}

/// In the meeting of this node, with the token that the engine gave to go on with.
fn enter(node: &Authority, who: &Delegate) -> (Line, String) {
    let token = who.ticket(&node.client()).expect("a ticket");
    let mut line = join(node.port, &token, &[]).expect("let in");
    assert!(line.is_in());
    let newer = line.refreshed();
    (line, newer)
}

/// Is out, and comes in neither by a token of before nor by the page.
fn assert_out(node: &Authority, who: &Delegate, mut line: Line, token: &str) {
    let why = line.until_put_out().expect("it is said why");
    assert_eq!(why.reason(), DisconnectReason::ParticipantRemoved);
    assert_eq!(join(node.port, token, &[]).err(), Some(401), "by the newest token");
    let returns = format!("{token}&reconnect=1");
    assert_eq!(join(node.port, &returns, &[]).err(), Some(401), "as one who returns");
    let answer = who.ticket(&node.client()).expect_err("no ticket");
    assert!([403, 404].contains(&answer.status), "{}", answer.text());
}

fn world_with_meetings(names: &[&str]) -> World {
    let mut world = World::new(names);
    world.nodes[0].carry_meetings();
    world.serve();
    world.introduce();
    world
}

#[test]
fn a_guest_whose_authority_is_no_peer_any_more_leaves_the_meeting_and_stays_out() {
    let world = world_with_meetings(&["a.example", "b.example", "c.example"]);
    let a = &world.nodes[0];
    let (guest, other) = (a.guest_of("b.example"), a.guest_of("c.example"));
    let (line, token) = enter(a, &guest);
    let (_theirs, others_token) = enter(a, &other);
    a.ask(&["peer", "remove", "b.example"]).expect("removed");
    assert_out(a, &guest, line, &token);
    assert!(join(a.port, &others_token, &[]).is_ok_and(|mut line| line.is_in()), "nobody else is hurt");
}

/// Whoever runs the authority may have changed meanwhile, and with it whom it sends.
#[test]
fn a_guest_of_a_removed_peer_does_not_come_back_with_another_one_of_its_name() {
    let world = world_with_meetings(&["a.example", "b.example"]);
    let (a, b) = (&world.nodes[0], &world.nodes[1]);
    let guest = a.guest_of("b.example");
    let link =
        a.ask(&["link", "--guest", "b.example"]).expect("link")["url"].as_str().expect("a URL").to_owned();
    let (line, token) = enter(a, &guest);
    a.ask(&["peer", "remove", "b.example"]).expect("removed");
    let listed = a.ask(&["session", "list"]).expect("sessions");
    assert_eq!(listed.as_array().map(Vec::len), Some(0), "{listed}");

    let fingerprint = b.fingerprint();
    a.ask(&["peer", "add", "b.example", "--fingerprint", &fingerprint]).expect("added again");
    a.ask(&["peer", "confirm", "b.example", "--fingerprint", &fingerprint]).expect("confirmed");
    assert_out(a, &guest, line, &token);
    let path = &link[link.find("/meetings/").expect("a way in")..];
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(a.client().post(path, &form, Vec::new()).status, 401, "a link of before");
    let (mut line, _) = enter(a, &a.guest_of("b.example"));
    assert!(line.hear().is_some(), "who is invited anew is in");
}

#[test]
fn whoever_signs_out_leaves_the_meeting_and_stays_out() {
    let world = world_with_meetings(&["a.example"]);
    let a = &world.nodes[0];
    let colleague = a.colleague();
    let (line, token) = enter(a, &colleague);
    let answer = colleague.sign_out(&a.client());
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_out(a, &colleague, line, &token);
}

#[test]
fn a_guest_signs_out_by_the_button_of_the_room() {
    let world = world_with_meetings(&["a.example", "b.example"]);
    let a = &world.nodes[0];
    let guest = a.guest_of("b.example");
    let room = a.client().get_with("/meetings/room?lang=ar", &[("cookie", &guest.cookie)]);
    assert!(room.text().contains("action=\"/meetings/sign-out?lang=ar\""), "{}", room.text());
    let colleague = a.colleague();
    let room = a.client().get_with("/meetings/room", &[("cookie", &colleague.cookie)]);
    assert!(!room.text().contains("/meetings/sign-out"), "a colleague signs out elsewhere");

    let (line, token) = enter(a, &guest);
    let answer = guest.sign_out_as_guest(&a.client());
    assert_eq!(answer.status, 303, "{}", answer.text());
    let cookie = answer.headers.get("set-cookie").expect("a cookie");
    assert!(cookie.contains("Max-Age=0") && cookie.contains("Path=/meetings"), "{cookie}");
    assert_out(a, &guest, line, &token);
}

#[test]
fn a_form_that_a_foreign_page_sends_changes_nothing_even_with_its_secret() {
    let world = world_with_meetings(&["a.example"]);
    let a = &world.nodes[0];
    let colleague = a.colleague();
    // Browsers send the cookie to every port of a name.
    let other_program = format!("http://127.0.0.1:{}", free_ports(1)[0]);
    let other_name = format!("http://localhost:{}", a.port);
    for origin in [
        "https://elsewhere.example",
        "null",
        "http://127.0.0.1.elsewhere.example",
        "http://127.0.0.1",
        &other_program,
        &other_name,
    ] {
        let answer = colleague.post_from(&a.client(), "/sign-out", Some(origin));
        assert_eq!(answer.status, 403, "{origin}");
        assert!(colleague.ticket(&a.client()).is_ok(), "still signed in");
    }
    let own = format!("http://127.0.0.1:{}", a.port);
    assert_eq!(colleague.post_from(&a.client(), "/sign-out", Some(&own)).status, 303);
}

#[test]
fn after_twelve_hours_a_guest_leaves_the_meeting_and_stays_out() {
    let (mut world, clock) = World::with_clock(&["a.example", "b.example"]);
    world.nodes[0].carry_meetings();
    world.serve();
    world.introduce();
    let a = &world.nodes[0];
    let guest = a.guest_of("b.example");
    let (line, token) = enter(a, &guest);
    clock.forward(1);
    assert_out(a, &guest, line, &token);
}

#[test]
fn a_token_of_before_a_restart_opens_nothing_after_the_end_of_its_session() {
    let mut world = world_with_meetings(&["a.example"]);
    let colleague = world.nodes[0].colleague();
    let (line, token) = enter(&world.nodes[0], &colleague);
    world.nodes[0].stop();
    drop(line);
    world.nodes[0].ask(&["session", "end", "--all"]).expect("ended while no server runs");
    world.nodes[0].serve();
    let a = &world.nodes[0];
    // The room is there: it is not for want of it that nobody comes in.
    let _present = enter(a, &a.colleague());
    assert_eq!(join(a.port, &token, &[]).err(), Some(401));
}

#[test]
fn an_operator_lists_sessions_and_ends_them_and_never_sees_their_secrets() {
    let world = world_with_meetings(&["a.example", "b.example"]);
    let a = &world.nodes[0];
    let (colleague, guest) = (a.colleague(), a.guest_of("b.example"));
    let (line, token) = enter(a, &guest);
    let listed = a.ask(&["session", "list"]).expect("listed");
    let rows = listed.as_array().expect("a list");
    assert_eq!(rows.len(), 2, "{listed}");
    let of = |authority: &str| rows.iter().find(|row| row["authority"] == authority).expect("listed");
    assert_eq!(of("b.example")["opens"], "the meeting room");
    for said in [listed.to_string(), String::from_utf8_lossy(&a.run(&["session", "list"]).stdout).into()] {
        for cookie in [&colleague.cookie, &guest.cookie] {
            let secret = cookie.split_once('=').expect("a cookie").1;
            assert!(!said.contains(secret) && said.contains("b.example"), "{said}");
        }
    }
    let name = of("b.example")["name"].as_str().expect("a name");
    let ended = a.ask(&["session", "end", name]).expect("ended");
    assert_eq!(ended["ended"], serde_json::json!([name]));
    assert_out(a, &guest, line, &token);
    assert!(a.ask(&["session", "end", name]).expect_err("there is none").contains("concord session list"));

    let (line, token) = enter(a, &colleague);
    a.ask(&["session", "end", "--all"]).expect("ended");
    assert_out(a, &colleague, line, &token);
    assert_eq!(a.ask(&["session", "list"]).expect("listed"), serde_json::json!([]));
}
