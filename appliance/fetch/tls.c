/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/fetch/fetch.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* TLS 1.2 and 1.3 only. If the server wants to renegotiate, the transfer ends, because nothing here
 * handles that. */
#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct fetch_tls {
	int fd;
	gnutls_session_t session;
	gnutls_certificate_credentials_t trust;
};

static int authority(struct fetch_tls *t, const void *ca, size_t n_ca)
{
	/* GnuTLS only reads it. */
	gnutls_datum_t pem = { .data = (unsigned char *)(uintptr_t)ca, .size = (unsigned)n_ca };
	int r = gnutls_certificate_allocate_credentials(&t->trust);

	if (r < 0)
		return r;
	r = gnutls_certificate_set_x509_trust_mem(t->trust, &pem, GNUTLS_X509_FMT_PEM);
	return r == 0 ? GNUTLS_E_NO_CERTIFICATE_FOUND : r;
}

static int prepare_session(struct fetch_tls *t, const char *name, const void *ca, size_t n_ca)
{
	int r = authority(t, ca, n_ca);

	if (r >= 0)
		r = gnutls_init(&t->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS);
	if (r >= 0)
		r = gnutls_priority_set_direct(t->session, PRIORITY, NULL);
	if (r >= 0)
		r = gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->trust);
	if (r >= 0)
		r = gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, name, strlen(name));
	if (r < 0)
		return r;
	gnutls_session_set_verify_cert(t->session, name, 0);
	gnutls_transport_set_int(t->session, t->fd);
	/* wait_for() enforces the limit `until` */
	gnutls_handshake_set_timeout(t->session, GNUTLS_INDEFINITE_TIMEOUT);
	return 0;
}

struct fetch_tls *fetch_tls_new(int fd, const char *name, const void *ca, size_t n_ca, struct err *e)
{
	struct fetch_tls *t = calloc(1, sizeof(*t));
	int r;

	if (t == NULL || n_ca > INT_MAX) {
		err_set(e, -ENOMEM, "TLS");
		free(t);
		return NULL;
	}
	t->fd = fd;
	r = prepare_session(t, name, ca, n_ca);
	if (r < 0) {
		err_set(e, -EINVAL, "TLS, with the certificate that is the ca: %s", gnutls_strerror(r));
		fetch_tls_free(t);
		return NULL;
	}
	return t;
}

void fetch_tls_free(struct fetch_tls *t)
{
	if (t == NULL)
		return;
	if (t->session != NULL)
		gnutls_deinit(t->session);
	if (t->trust != NULL)
		gnutls_certificate_free_credentials(t->trust);
	free(t);
}

/* Waits until the socket is ready for `what`. False: the time is over. */
static bool wait_for(const struct fetch_tls *t, short what, struct mono until)
{
	struct pollfd p = { .fd = t->fd, .events = what };

	for (;;) {
		uint64_t now = clock_mono().ns, left = until.ns > now ? until.ns - now : 0;
		int r = left > 0 ? poll(&p, 1, (int)(left / 1000000u < 1000u ? left / 1000000u + 1 : 1000u)) : 0;

		if (left == 0)
			return false;
		if (r > 0)
			return true;
		if (r < 0 && errno != EINTR)
			return false;
	}
}

/* Whether the call may be repeated after this error of GnuTLS. */
static bool may_repeat(const struct fetch_tls *t, ssize_t r, struct mono until)
{
	if (clock_mono().ns >= until.ns)
		return false;
	if (r == GNUTLS_E_AGAIN)
		return wait_for(t, gnutls_record_get_direction(t->session) == 0 ? POLLIN : POLLOUT, until);
	return r == GNUTLS_E_INTERRUPTED || r == GNUTLS_E_WARNING_ALERT_RECEIVED;
}

/* The reason why no more bytes come. */
static enum fetch_end why_ended(struct mono until)
{
	return clock_mono().ns >= until.ns ? FETCH_SLOW : FETCH_TLS;
}

enum fetch_end fetch_tls_connected(struct fetch_tls *t, struct mono until)
{
	int code = 0;
	socklen_t n = sizeof(code);

	if (!wait_for(t, POLLOUT, until) || getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &code, &n) < 0 || code != 0)
		return FETCH_UNREACHED;
	return FETCH_DONE;
}

static enum fetch_end why_stranger(const struct fetch_tls *t)
{
	unsigned status = gnutls_session_get_verify_cert_status(t->session);

	if ((status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNATURE_FAILURE | GNUTLS_CERT_SIGNER_NOT_CA)) != 0)
		return FETCH_AUTHORITY;
	if ((status & GNUTLS_CERT_UNEXPECTED_OWNER) != 0)
		return FETCH_NAME;
	return (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)) != 0 ? FETCH_DATES : FETCH_AUTHORITY;
}

enum fetch_end fetch_tls_begin(struct fetch_tls *t, struct mono until)
{
	int r;

	do
		r = gnutls_handshake(t->session);
	while (r < 0 && may_repeat(t, r, until));
	if (r >= 0)
		return FETCH_DONE;
	return r == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR ? why_stranger(t) : why_ended(until);
}

enum fetch_end fetch_tls_send(struct fetch_tls *t, const void *p, size_t n, struct mono until)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = gnutls_record_send(t->session, (const char *)p + done, n - done);

		if (r > 0)
			done += (size_t)r;
		else if (!may_repeat(t, r, until))
			return why_ended(until);
	}
	return FETCH_DONE;
}

enum fetch_end fetch_tls_recv(struct fetch_tls *t, void *p, size_t n, size_t *ret_n, struct mono until)
{
	ssize_t r;

	*ret_n = 0;
	do
		r = gnutls_record_recv(t->session, p, n);
	while (r < 0 && may_repeat(t, r, until));
	if (r > 0) {
		*ret_n = (size_t)r;
		return FETCH_DONE;
	}
	if (r == 0 || r == GNUTLS_E_PREMATURE_TERMINATION || r == GNUTLS_E_PULL_ERROR)
		return FETCH_CUT;
	return why_ended(until);
}
