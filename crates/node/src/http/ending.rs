//! What is asked while the server stops: it is answered if that is done in time, and else told to come back.
//!
//! What a stop takes away from a page, its turn or its database, is no fault of this node.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::sync::watch;

use super::{answer, reads_pages};
use crate::layout::Refusal;
use crate::node::Node;

/// How long pages may still be made: a little less than connections may last.
const GRACE: Duration = Duration::from_secs(4);

/// Answers what is only read, or says that it is to be asked again. An act goes on to its end.
pub async fn or_later(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    if !request.method().is_safe() {
        return next.run(request).await;
    }
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    if let Some(response) = in_time(node.stopping.subscribe(), GRACE, next.run(request)).await {
        return response;
    }
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let mut response = if reads_pages(&headers) {
        answer::without_database(&node, &uri, &headers, status, Refusal::Unavailable, &[])
    } else {
        status.into_response()
    };
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// The answer; `None` if it is not there in time after the server was told to stop, or if it broke while the server stops.
async fn in_time(
    mut stopping: watch::Receiver<bool>,
    grace: Duration,
    answer: impl Future<Output = Response>,
) -> Option<Response> {
    let over = async {
        // Whoever tells lives as long as the node.
        let _ = stopping.clone().wait_for(|stopping| *stopping).await;
        tokio::time::sleep(grace).await;
    };
    let response = tokio::select! {
        biased;
        response = answer => response,
        () = over => return None,
    };
    let broke = response.status() == StatusCode::INTERNAL_SERVER_ERROR && *stopping.borrow_and_update();
    (!broke).then_some(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use futures::future::BoxFuture;

    #[tokio::test]
    async fn what_breaks_or_does_not_come_while_the_server_stops_is_to_be_asked_again() {
        let (tell, stopping) = watch::channel(false);
        let broken = || StatusCode::INTERNAL_SERVER_ERROR.into_response();
        let answered = |answer: BoxFuture<'static, Response>| {
            let stopping = stopping.clone();
            async move { in_time(stopping, Duration::ZERO, answer).await.map(|response| response.status()) }
        };
        assert_eq!(
            answered(std::future::ready(broken()).boxed()).await,
            Some(StatusCode::INTERNAL_SERVER_ERROR)
        );
        let (waits, ()) = futures::join!(answered(std::future::pending().boxed()), async {
            tell.send_replace(true);
        });
        assert_eq!(waits, None, "it began before");
        assert_eq!(answered(std::future::ready(broken()).boxed()).await, None, "what it was made of is gone");
        assert_eq!(
            answered(std::future::ready("a page".into_response()).boxed()).await,
            Some(StatusCode::OK)
        );
    }
}
