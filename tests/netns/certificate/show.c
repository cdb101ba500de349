/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS 1.3 client that presents any given bytes as its certificate, and signs with any given key,
 * as no honest library would.
 *
 * 	show ADDRESS KEY CERTIFICATE TIMES [CERTIFICATE ...]
 * makes TIMES handshakes, one after the other. The certificates at the end continue the chain.
 *
 * KEY: PEM; the first certificate claims to have its public key. Prints a line for each outcome,
 * with its number: "in 3" or "out 7". "in" is a handshake after which the box answered a request.
 */
#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define CHAIN_MOST 4096u
#define WAIT_S 20

static gnutls_pcert_st chain[CHAIN_MOST];
static unsigned n_chain;
static gnutls_privkey_t key;

static void need(int r, const char *what)
{
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", what, gnutls_strerror(r));
		exit(2);
	}
}

static int show(gnutls_session_t s, const gnutls_datum_t *names, int n_names, const gnutls_pk_algorithm_t *kinds,
		int n_kinds, gnutls_pcert_st **ret_chain, unsigned *ret_n, gnutls_privkey_t *ret_key)
{
	(void)s;
	(void)names;
	(void)n_names;
	(void)kinds;
	(void)n_kinds;
	*ret_chain = chain;
	*ret_n = n_chain;
	*ret_key = key;
	return 0;
}

static gnutls_datum_t file(const char *path)
{
	gnutls_datum_t d;

	need(gnutls_load_file(path, &d), path);
	return d;
}

/* Adds the certificate's bytes as they are, without reading the key in them. */
static void add(const char *path)
{
	gnutls_pcert_st *p = &chain[n_chain++];

	p->type = GNUTLS_CRT_X509;
	p->cert = file(path);
	need(gnutls_pubkey_init(&p->pubkey), "public key");
	need(gnutls_pubkey_import_privkey(p->pubkey, key, 0, 0), "public key");
}

static int connected(const char *address)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(443) };
	struct timeval wait = { .tv_sec = WAIT_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	/* TCP_NODELAY: the first request after the handshake is sent at once. */
	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
	    inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		perror("connect");
		exit(2);
	}
	return fd;
}

/* In TLS 1.3 a client finishes before the server has checked its certificate: only the first answer
 * shows the result. */
static bool answered(gnutls_session_t s)
{
	static const char question[] = "GET /api/v1/me HTTP/1.1\r\nHost: sekisho\r\n\r\n";
	char answer[16];
	ssize_t n;

	if (gnutls_record_send(s, question, sizeof(question) - 1) < 0)
		return false;
	do
		n = gnutls_record_recv(s, answer, sizeof(answer));
	while (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED);
	return n >= 9 && memcmp(answer, "HTTP/1.1 ", 9) == 0;
}

static bool once(const char *address, gnutls_certificate_credentials_t c)
{
	int fd = connected(address), r;
	gnutls_session_t s;
	bool in;

	need(gnutls_init(&s, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL), "session");
	need(gnutls_priority_set_direct(s, "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL), "priorities");
	need(gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, c), "credentials");
	gnutls_transport_set_int(s, fd);
	do
		r = gnutls_handshake(s);
	while (r < 0 && gnutls_error_is_fatal(r) == 0);
	in = r == 0 && answered(s);
	gnutls_deinit(s);
	close(fd);
	return in;
}

int main(int argc, char **argv)
{
	gnutls_certificate_credentials_t c;
	unsigned long times = argc > 4 ? strtoul(argv[4], NULL, 10) : 0, in = 0;
	gnutls_datum_t pem;

	if (times == 0 || argc - 4 > (int)CHAIN_MOST) {
		fprintf(stderr, "usage: show ADDRESS KEY CERTIFICATE TIMES [CERTIFICATE ...]\n");
		return 2;
	}
	pem = file(argv[2]);
	need(gnutls_privkey_init(&key), "key");
	need(gnutls_privkey_import_x509_raw(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0), argv[2]);
	add(argv[3]);
	for (int i = 5; i < argc; i++)
		add(argv[i]);
	need(gnutls_certificate_allocate_credentials(&c), "credentials");
	gnutls_certificate_set_retrieve_function2(c, show);
	for (unsigned long i = 0; i < times; i++)
		in += once(argv[1], c);
	printf("in %lu\nout %lu\n", in, times - in);
	return 0;
}
