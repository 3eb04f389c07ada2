//! Answers of the public face that are ready: what was made for one reader a moment ago is given to the next.
//!
//! On the worst day many read the same few pages. A page is made once for all who ask while the index does not change.
//! It is made anew when it is as old as it says that anybody may keep it; who asks meanwhile does not wait for that, as
//! nothing changed but the time. Who has a cookie is always answered anew: nothing of the
//! inside face is ever kept here, and nothing that is not a page of a desk made of the index alone.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_ENCODING, ACCEPT_LANGUAGE, CACHE_CONTROL, COOKIE, SET_COOKIE};
use axum::http::response::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use edge::Source;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};

use super::answer::FOR_ANYBODY;
use super::turns::{self, HeldTurn, Turns};
use crate::i18n::{Lang, negotiate};
use crate::node::Node;

/// Paths of the pages that are made of the index alone.
const PAGES: [&str; 4] = ["/situation", "/record", "/signals", "/scenario"];
/// After so long it is made anew: what [`FOR_ANYBODY`] says of every copy.
const KEPT: Duration = Duration::from_secs(5);
/// The oldest that is still given while the next one is made, which may have to wait for its turn: nothing changed but the time.
const OLDEST: Duration = Duration::from_mins(1);
/// The most bytes of one answer.
const MAX_BYTES: usize = 256 << 10;
/// Answers kept at a time that several sources asked for, and those that one did: nobody alone has others' answers forgotten.
const MAX_SHARED: usize = 128;
const MAX_SINGLE: usize = 32;
/// The longest address, and the longest list of encodings, in bytes.
const MAX_KEY: usize = 512;

/// What an answer depends on besides the index and the time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    address: String,
    lang: Lang,
    encodings: String,
}

/// An answer that is ready.
struct Kept {
    /// Changes of the index before it was begun.
    changes: u64,
    begun: Instant,
    parts: Parts,
    body: Bytes,
    /// Is the next one being made?
    is_renewed: bool,
}

impl Kept {
    /// For whoever came after so many changes.
    fn is_for(&self, came: u64) -> bool {
        self.changes >= came && self.begun.elapsed() < OLDEST
    }

    fn response(&self) -> Response {
        Response::from_parts(self.parts.clone(), Body::from(self.body.clone()))
    }
}

/// One at a time makes the answer to an address; whoever waits for it takes it, unless it was begun before they came.
type Place = Arc<tokio::sync::Mutex<Option<Kept>>>;

/// The answers that are ready.
#[derive(Default)]
pub struct Ready(Mutex<Places>);

#[derive(Default)]
struct Places {
    of: HashMap<Key, Known>,
    /// What one source asked for, and what several did, each in the order in which it came there.
    single: VecDeque<Key>,
    shared: VecDeque<Key>,
}

struct Known {
    place: Place,
    /// Who asked for it, until somebody else does.
    by: Option<Source>,
}

impl Places {
    fn place(&mut self, key: Key, source: Source) -> Place {
        let Some(known) = self.of.get_mut(&key) else {
            let place = Place::default();
            self.single.push_back(key.clone());
            self.of.insert(key, Known { place: Arc::clone(&place), by: Some(source) });
            self.forget();
            return place;
        };
        let place = Arc::clone(&known.place);
        if known.by.is_some_and(|by| by != source) {
            known.by = None;
            self.single.retain(|single| *single != key);
            self.shared.push_back(key);
            self.forget();
        }
        place
    }

    /// Forgets what came first of what is more than is kept.
    fn forget(&mut self) {
        for (order, most) in [(&mut self.single, MAX_SINGLE), (&mut self.shared, MAX_SHARED)] {
            while order.len() > most {
                order.pop_front().map(|first| self.of.remove(&first));
            }
        }
    }

    /// Nothing is kept in a place: it is no answer for anybody.
    fn remove(&mut self, place: &Place) {
        let Self { of, single, shared } = self;
        of.retain(|_, known| !Arc::ptr_eq(&known.place, place));
        single.retain(|key| of.contains_key(key));
        shared.retain(|key| of.contains_key(key));
    }
}

impl Ready {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to `key`, made by `make` unless one is here that was begun after every change of the index that the
    /// caller could know of. Before it is made, a turn is awaited; nobody waits for that but who asked, and nobody keeps it
    /// who waits for another one to make the same page.
    async fn answer<T: Send + 'static>(
        &self,
        (key, source): (Key, Source),
        changes: impl Fn() -> u64,
        turn: impl Fn() -> BoxFuture<'static, Option<T>>,
        make: impl Future<Output = Response> + Send + 'static,
    ) -> Response {
        let came = changes();
        let place = self.places().place(key, source);
        loop {
            if let Some(kept) = place.lock().await.as_mut().filter(|kept| kept.is_for(came)) {
                if kept.begun.elapsed() >= KEPT && !std::mem::replace(&mut kept.is_renewed, true) {
                    tokio::spawn(renew(Arc::clone(&place), changes(), in_turn(turn(), make)));
                }
                return kept.response();
            }
            let Some(_turn) = turn().await else { return turns::busy() };
            // Somebody else makes it by now.
            let Ok(mut here) = place.try_lock() else { continue };
            if let Some(kept) = here.as_ref().filter(|kept| kept.is_for(came)) {
                return kept.response();
            }
            let (changes, begun) = (changes(), Instant::now());
            let made = keepable(changes, begun, make.await).await;
            *here = None;
            return match made {
                Ok(kept) => here.insert(kept).response(),
                Err(response) => {
                    self.places().remove(&place);
                    response
                }
            };
        }
    }
}

async fn in_turn<T>(turn: impl Future<Output = Option<T>>, make: impl Future<Output = Response>) -> Response {
    match turn.await {
        Some(_turn) => make.await,
        None => turns::busy(),
    }
}

/// Makes the next answer for a place, beside those who are given the one that is there. If it cannot be made now, that one stays.
async fn renew(place: Place, changes: u64, make: impl Future<Output = Response>) {
    let begun = Instant::now();
    let made = keepable(changes, begun, make.await).await;
    let mut here = place.lock().await;
    // Who came after a change may have made a newer one meanwhile.
    let Some(kept) = here.as_mut().filter(|kept| kept.changes <= changes && kept.begun <= begun) else {
        return;
    };
    match made {
        Ok(made) => *kept = made,
        Err(response) if response.status() == StatusCode::SERVICE_UNAVAILABLE => kept.is_renewed = false,
        Err(_) => *here = None,
    }
}

/// An answer to be kept, or the answer again if it is not for anybody or too large.
async fn keepable(changes: u64, begun: Instant, response: Response) -> Result<Kept, Response> {
    let (parts, body) = response.into_parts();
    if !is_for_anybody(&parts) {
        return Err(Response::from_parts(parts, body));
    }
    match whole(body).await {
        Ok(body) => Ok(Kept { changes, begun, parts, body, is_renewed: false }),
        Err(body) => Err(Response::from_parts(parts, body)),
    }
}

fn is_for_anybody(parts: &Parts) -> bool {
    parts.status == StatusCode::OK
        && parts.headers.get(CACHE_CONTROL).is_some_and(|value| value.as_bytes() == FOR_ANYBODY.as_bytes())
        && !parts.headers.contains_key(SET_COOKIE)
}

/// All bytes of a body, or the body again if it is too large or breaks off.
async fn whole(body: Body) -> Result<Bytes, Body> {
    let mut rest = body.into_data_stream();
    let (mut taken, mut size) = (Vec::new(), 0);
    while let Some(chunk) = rest.next().await {
        size += chunk.as_ref().map_or(0, Bytes::len);
        let is_over = chunk.is_err() || size > MAX_BYTES;
        taken.push(chunk);
        if is_over {
            return Err(Body::from_stream(futures::stream::iter(taken).chain(rest)));
        }
    }
    Ok(taken.into_iter().flatten().collect::<Vec<_>>().concat().into())
}

/// Gives what is ready, or lets it be made.
pub async fn or_made(
    State((node, turns)): State<(Arc<Node>, Turns)>,
    mut request: Request,
    next: Next,
) -> Response {
    let here = Lang::from_code(&node.config.language).unwrap_or(Lang::En);
    let Some(key) = key(here, &request) else { return next.run(request).await };
    let (source, is_heavy) = (turns::source(&request), turns::is_heavy(&request));
    let held = HeldTurn::default();
    request.extensions_mut().insert(held.clone());
    let turn = move || {
        let (turns, held) = (turns.clone(), held.clone());
        async move { turns.take(source, is_heavy).await.map(|turn| held.by(turn)) }.boxed()
    };
    node.ready.answer((key, source), || node.index.changes(), turn, next.run(request)).await
}

fn key(here: Lang, request: &Request) -> Option<Key> {
    let (uri, headers) = (request.uri(), request.headers());
    let is_page = PAGES.iter().any(|page| uri.path().starts_with(page));
    if request.method() != Method::GET || headers.contains_key(COOKIE) || !is_page {
        return None;
    }
    // Every line of a header, as those who make the answer read it.
    let text = |name| {
        let values = headers.get_all(name).iter().map(HeaderValue::to_str);
        values.collect::<Result<Vec<_>, _>>().ok().map(|values| values.join(","))
    };
    let address = uri.path_and_query()?.to_string();
    let encodings = text(ACCEPT_ENCODING)?;
    if address.len() > MAX_KEY || encodings.len() > MAX_KEY {
        return None;
    }
    let first = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let lang = negotiate(None, None, first, here);
    Some(Key { address, lang, encodings })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Default)]
    struct Pages {
        ready: Ready,
        index: Arc<AtomicU64>,
        made: Arc<AtomicU64>,
    }

    impl Pages {
        fn new() -> Self {
            Self::default()
        }

        /// Makes what is kept so much older.
        async fn pass(&self, time: Duration) {
            let places: Vec<Place> =
                self.ready.places().of.values().map(|known| known.place.clone()).collect();
            for place in places {
                if let Some(kept) = place.lock().await.as_mut() {
                    kept.begun -= time;
                }
            }
        }

        async fn ask(&self, address: &str, control: &'static str) -> String {
            self.asked_by(Source::Here, address, control).await
        }

        async fn asked_by(&self, source: Source, address: &str, control: &'static str) -> String {
            let key = Key { address: address.into(), lang: Lang::En, encodings: String::new() };
            let (address, index, made) = (address.to_owned(), self.index.clone(), self.made.clone());
            let make = async move {
                let index = index.load(Ordering::SeqCst);
                tokio::task::yield_now().await;
                let text = format!("{address} at {index}, number {}", made.fetch_add(1, Ordering::SeqCst));
                let mut response = Response::new(Body::from(text));
                response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(control));
                response
            };
            let changes = || self.index.load(Ordering::SeqCst);
            let response = self
                .ready
                .answer((key, source), changes, || std::future::ready(Some(())).boxed(), make)
                .await;
            let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            String::from_utf8(bytes.to_vec()).unwrap()
        }
    }

    #[tokio::test]
    async fn a_page_is_made_once_until_the_index_changes() {
        let pages = Pages::new();
        let asked = futures::future::join_all((0..20).map(|_| pages.ask("/situation", FOR_ANYBODY))).await;
        assert!(asked.iter().all(|page| page == "/situation at 0, number 0"), "{asked:?}");
        pages.index.fetch_add(1, Ordering::SeqCst);
        assert_eq!(pages.ask("/situation", FOR_ANYBODY).await, "/situation at 1, number 1");
        assert_eq!(pages.ask("/records", FOR_ANYBODY).await, "/records at 1, number 2");
        assert_eq!(pages.ask("/situation", FOR_ANYBODY).await, "/situation at 1, number 1");
    }

    /// Who has many pages made waits for its turns, and nobody who asks for one of them does.
    #[tokio::test]
    async fn nobody_waits_for_the_turn_of_who_asked_first() {
        let pages = Pages::new();
        let key = Key { address: "/situation".into(), lang: Lang::En, encodings: String::new() };
        let changes = || pages.index.load(Ordering::SeqCst);
        let never = || std::future::pending::<Option<()>>().boxed();
        let first =
            pages.ready.answer((key, Source::Here), changes, never, std::future::ready(Response::default()));
        tokio::select! {
            biased;
            _ = first => panic!("its turn never comes"),
            page = pages.ask("/situation", FOR_ANYBODY) => assert_eq!(page, "/situation at 0, number 0"),
        }
    }

    /// Of any number that ask for one slow page, one takes a turn away from other pages.
    #[tokio::test]
    async fn who_waits_for_another_one_to_make_the_same_page_keeps_no_turn() {
        let ready = Ready::default();
        let key = || {
            let key = Key { address: "/situation".into(), lang: Lang::En, encodings: String::new() };
            (key, Source::Here)
        };
        let turns = Arc::new(tokio::sync::Semaphore::new(8));
        let turn = || turns.clone().acquire_owned().map(Result::ok).boxed();
        let (made, until_made) = tokio::sync::oneshot::channel::<()>();
        let page = || {
            let mut page = Response::new(Body::from("a page"));
            page.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(FOR_ANYBODY));
            page
        };
        let make = async move {
            until_made.await.unwrap();
            page()
        };
        let first = ready.answer(key(), || 0, turn, make);
        // Each of them found no page when the first one had not begun.
        let held: Vec<_> = (0..8).map(|_| turns.clone().try_acquire_owned().unwrap()).collect();
        let others = (0..7).map(|_| ready.answer(key(), || 0, turn, std::future::pending()));
        let asked = futures::future::join(first, futures::future::join_all(others));
        let look = async {
            tokio::task::yield_now().await;
            drop(held);
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            assert_eq!(turns.available_permits(), 7, "only who makes the page has a turn");
            made.send(()).unwrap();
        };
        let ((first, others), ()) = futures::join!(asked, look);
        assert!(
            first.status() == StatusCode::OK && others.iter().all(|other| other.status() == StatusCode::OK)
        );
    }

    /// Made anew beside who asks, once; too old, or after a change, nobody gets it.
    #[tokio::test]
    async fn nobody_waits_for_a_page_that_is_made_anew_while_nothing_changed() {
        let pages = Pages::new();
        assert_eq!(pages.ask("/situation", FOR_ANYBODY).await, "/situation at 0, number 0");
        pages.pass(KEPT).await;
        for _ in 0..3 {
            assert_eq!(pages.ask("/situation", FOR_ANYBODY).await, "/situation at 0, number 0");
        }
        while pages.made.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pages.ask("/situation", FOR_ANYBODY).await, "/situation at 0, number 1");
        pages.pass(OLDEST).await;
        assert_eq!(pages.ask("/situation", FOR_ANYBODY).await, "/situation at 0, number 2");
        pages.pass(KEPT).await;
        pages.index.fetch_add(1, Ordering::SeqCst);
        assert_eq!(pages.ask("/situation", FOR_ANYBODY).await, "/situation at 1, number 3");
    }

    /// Whose next one has no turn now is given until it is too old.
    #[tokio::test]
    async fn a_page_that_cannot_be_made_anew_now_is_still_given_while_nothing_changed() {
        let pages = Pages::new();
        assert_eq!(pages.ask("/situation", FOR_ANYBODY).await, "/situation at 0, number 0");
        pages.pass(KEPT).await;
        let place = pages.ready.places().of.values().next().unwrap().place.clone();
        for _ in 0..2 {
            assert!(!std::mem::replace(&mut place.lock().await.as_mut().unwrap().is_renewed, true));
            renew(Arc::clone(&place), 0, std::future::ready(turns::busy())).await;
        }
        place.lock().await.as_mut().unwrap().is_renewed = true;
        assert_eq!(pages.ask("/situation", FOR_ANYBODY).await, "/situation at 0, number 0");
    }

    #[tokio::test]
    async fn nobody_alone_has_the_answers_forgotten_that_others_ask_for() {
        let pages = Pages::new();
        let of = |n: u8| Source::Block(edge::Block::of(std::net::Ipv4Addr::new(192, 0, 2, n).into()));
        pages.asked_by(of(1), "/situation", FOR_ANYBODY).await;
        pages.asked_by(of(2), "/situation", FOR_ANYBODY).await;
        for n in 0..300 {
            for _ in 0..2 {
                pages.asked_by(of(3), &format!("/situation/{n}"), FOR_ANYBODY).await;
            }
        }
        let page = pages.asked_by(of(4), "/situation", FOR_ANYBODY).await;
        assert_eq!(page, "/situation at 0, number 0");
        assert!(pages.ready.places().of.len() <= MAX_SINGLE + 1);
        pages.asked_by(of(3), "/situation/none", "private, no-store").await;
        let places = pages.ready.places();
        assert!(
            !places.of.keys().any(|key| key.address == "/situation/none"),
            "what is not kept takes no place"
        );
        assert_eq!(places.of.len(), places.single.len() + places.shared.len());
    }

    /// One reader's odd headers never decide what another one gets.
    #[test]
    fn what_is_kept_is_for_those_who_ask_with_the_same_lines() {
        let ask = |lines: &[(&str, &str)]| {
            let request = lines
                .iter()
                .fold(Request::get("/situation"), |request, (name, value)| request.header(*name, *value));
            key(Lang::En, &request.body(Body::empty()).unwrap())
        };
        let plain = ask(&[]).unwrap();
        let two = ask(&[("accept-encoding", ""), ("accept-encoding", "br")]).unwrap();
        assert_ne!(plain, two);
        assert_ne!(
            ask(&[("accept-encoding", "identity")]).unwrap(),
            ask(&[("accept-encoding", "identity"), ("accept-encoding", "br")]).unwrap()
        );
        assert_eq!(ask(&[("accept-language", "ar")]).unwrap().lang, Lang::Ar);
        assert_eq!(ask(&[("cookie", "x=1")]), None, "nothing of the inside face is kept");
    }

    /// Who comes after a change never gets what was begun before it, also if it becomes ready afterwards.
    #[tokio::test]
    async fn nobody_gets_what_was_begun_before_a_change_that_they_know() {
        let pages = Pages::new();
        let early = pages.ask("/situation", FOR_ANYBODY);
        let late = async {
            pages.index.fetch_add(1, Ordering::SeqCst);
            pages.ask("/situation", FOR_ANYBODY).await
        };
        let (early, late) = futures::join!(early, late);
        assert_eq!(early, "/situation at 0, number 0");
        assert_eq!(late, "/situation at 1, number 1");
    }

    #[tokio::test]
    async fn what_is_not_for_anybody_is_never_kept_and_what_is_large_arrives_whole() {
        let pages = Pages::new();
        assert_eq!(pages.ask("/situation", "private, no-store").await, "/situation at 0, number 0");
        assert_eq!(pages.ask("/situation", "private, no-store").await, "/situation at 0, number 1");
        let large = vec![7; 3 * MAX_BYTES];
        let chunks =
            large.chunks(100_000).map(|chunk| Ok::<_, std::io::Error>(Bytes::copy_from_slice(chunk)));
        let chunks: Vec<_> = chunks.collect();
        let body = whole(Body::from_stream(futures::stream::iter(chunks))).await.unwrap_err();
        assert_eq!(axum::body::to_bytes(body, usize::MAX).await.unwrap(), large);
    }
}
