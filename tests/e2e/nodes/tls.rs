//! A peer that is reached by TLS, as every published endpoint is.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use e2e::{World, free_ports, path_in, until};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// Ends TLS before a node, with a certificate that it signed itself and wrote to a file, until it is dropped.
struct Terminator(tokio::runtime::Runtime);

impl Terminator {
    fn before(port: u16, at: u16, certificate: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        std::fs::write(certificate, made.cert.pem()).expect("a file");
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![made.cert.der().clone()], key.into()).expect("its key");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("threads");
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", at))).expect("its port is free");
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // Whoever does not trust us hangs up.
                    let Ok(mut outside) = acceptor.accept(stream).await else { return };
                    let node: SocketAddr = ([127, 0, 0, 1], port).into();
                    let mut inside = TcpStream::connect(node).await.expect("the node listens");
                    let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                });
            }
        });
        Self(runtime)
    }
}

#[test]
fn a_peer_is_reached_by_tls_when_the_system_trusts_its_certificate_and_not_before() {
    let mut world = World::new(&["a.example", "b.example"]);
    let (at, certificate) = (free_ports(1)[0], world.path("certificate.pem"));
    let b_port = world.nodes[1].port;
    let terminator = Terminator::before(b_port, at, &certificate);
    let file = world.nodes[0].data.join("concord.toml");
    let config = std::fs::read_to_string(&file).expect("a configuration");
    let by_tls =
        config.replace(&format!("\"http://127.0.0.1:{b_port}\""), &format!("\"https://127.0.0.1:{at}\""));
    assert_ne!(config, by_tls, "where b is dialled");
    std::fs::write(&file, by_tls).expect("written");
    world.serve();
    let fingerprint = world.nodes[1].fingerprint();
    let add = ["peer", "add", "b.example", "--fingerprint", &fingerprint];
    let why = world.nodes[0].ask(&add).expect_err("nobody vouches for its certificate");
    assert!(why.contains("certificate"), "{why}");
    world.nodes[0].kill();
    world.nodes[0].environment.push(("SSL_CERT_FILE".into(), path_in(&certificate)));
    world.nodes[0].serve();
    world.introduce();
    let name = world.nodes[1].say("by TLS");
    until("the record comes by TLS", || world.nodes[0].knows(&name).then_some(()));
    drop(terminator.0);
}
