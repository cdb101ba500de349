/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The management role: serves the pages and the API on a socket that it was given, changes nothing
 * of the box itself, and asks the role control for everything. It runs in the admin namespace
 * without privileges, has its key and token in memory, and can open no file.
 */
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/sha256.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/wire/msg.h"
#include "mgmt/web/http.h"
#include "mgmt/web/secrets.h"

/*
 * What a file's certificates say (subject, validity), for control, which parses none. Uses GnuTLS;
 * keeps nothing.
 */

#define CERTIFIED_MOST (1u << 20) /* bytes of a file */

/* A longer subject is cut; a NUL always follows. */
static int fill_subject(gnutls_x509_crt_t crt, uint8_t out[CERTIFICATE_SUBJECT])
{
	gnutls_datum_t name = { 0 };
	int r = gnutls_x509_crt_get_dn3(crt, &name, 0);
	size_t n = name.size < CERTIFICATE_SUBJECT - 1 ? name.size : CERTIFICATE_SUBJECT - 1;

	if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return 0; /* an empty subject is valid */
	if (r >= 0)
		memcpy(out, name.data, n);
	gnutls_free(name.data);
	return r;
}

/* Writes entry `at` of the answer. */
static int fill(gnutls_x509_crt_t crt, struct msg_certified *ret, size_t at)
{
	gnutls_datum_t der = { 0 };
	int r = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der);

	if (r >= 0)
		sha256(der.data, der.size, &ret->digest[at * 32]);
	gnutls_free(der.data);
	ret->from[at] = (uint64_t)gnutls_x509_crt_get_activation_time(crt);
	ret->until[at] = (uint64_t)gnutls_x509_crt_get_expiration_time(crt);
	return r >= 0 ? fill_subject(crt, &ret->subject[at * CERTIFICATE_SUBJECT]) : r;
}

static int last_first(const void *a, const void *b)
{
	time_t x = gnutls_x509_crt_get_expiration_time(*(const gnutls_x509_crt_t *)a);
	time_t y = gnutls_x509_crt_get_expiration_time(*(const gnutls_x509_crt_t *)b);

	return x < y ? 1 : x > y ? -1 : 0;
}

static bool dated(gnutls_x509_crt_t crt)
{
	return gnutls_x509_crt_get_activation_time(crt) != (time_t)-1 &&
	       gnutls_x509_crt_get_expiration_time(crt) != (time_t)-1;
}

/* Bundled files may contain a certificate twice, so duplicates are removed by digest. The list is
 * sorted by the end of validity, so duplicates are near each other. */
static unsigned each_once(gnutls_x509_crt_t *list, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned same = kept;

		while (same > 0 && last_first(&list[same - 1], &list[i]) == 0 &&
		       gnutls_x509_crt_equals(list[same - 1], list[i]) == 0)
			same--;
		if (same > 0 && last_first(&list[same - 1], &list[i]) == 0)
			gnutls_x509_crt_deinit(list[i]);
		else
			list[kept++] = list[i];
	}
	return kept;
}

/* `pem` is PEM; other contents are ignored. All zero when there is no certificate, or an unreadable
 * one. */
static struct msg_certified certified_read(const void *pem, size_t n)
{
	struct msg_certified ret = { 0 };
	gnutls_x509_crt_t *list = NULL;
	gnutls_datum_t d = { .size = (unsigned)n };
	unsigned n_list = 0;
	int r = -1;

	/* GnuTLS's datum is not const, but it only reads. */
	if (n > 0 && n <= CERTIFIED_MOST && (d.data = malloc(n)) != NULL) {
		memcpy(d.data, pem, n);
		r = gnutls_x509_crt_list_import2(&list, &n_list, &d, GNUTLS_X509_FMT_PEM, 0);
	}
	free(d.data);
	if (r < 0)
		return ret;
	for (unsigned i = 0; i < n_list && r >= 0; i++)
		r = dated(list[i]) ? r : -1;
	qsort(list, n_list, sizeof(gnutls_x509_crt_t), last_first);
	n_list = each_once(list, n_list);
	ret.n = n_list;
	for (unsigned i = 0; i < n_list && i < CERTIFICATES_TOLD && r >= 0; i++)
		r = fill(list[i], &ret, i);
	for (unsigned i = 0; i < n_list; i++)
		gnutls_x509_crt_deinit(list[i]);
	gnutls_free(list);
	return r >= 0 ? ret : (struct msg_certified){ 0 };
}

static int complain(const struct err *e)
{
	fprintf(stderr, "sekishod mgmt: %s\n", e->text);
	return 3;
}

static bool on_status(void *ctx, struct msg *m)
{
	struct http_counts n = http_counts(ctx);
	const struct msg_body answer = { MSG_MGMT_STATUS, .mgmt_status = { .requests = n.requests,
									   .refused = n.refused,
									   .unanswered = n.unanswered,
									   .connections = n.connections,
									   .token = http_token(ctx) } };
	int r = msg_send(MGMT_FD_PEOPLE, m->id, &answer, NULL, 0);

	return r == 0 || r == -EAGAIN; /* a receiver that missed it will ask again */
}

static bool on_answer(void *ctx, struct msg *m)
{
	http_answer(ctx, m);
	return true;
}

static bool on_progress(void *ctx, struct msg *m)
{
	http_progress(ctx, m);
	return true;
}

/* Answers what is known of the certificates in a text. If none is handed over, the text is the
 * box's own authority. */
static bool on_certificates(void *ctx, struct msg *m)
{
	struct msg_body answer = { .type = MSG_CERTIFIED };
	const char *own = http_authority(ctx);
	uint8_t *text = NULL;
	struct err e;
	size_t n = 0;
	int r;

	if (m->n_fds == 0)
		answer.certified = certified_read(own, strlen(own));
	else if (memfd_read(m->fds[0], CERTIFIED_MOST, &text, &n, &e) == 0)
		answer.certified = certified_read(text, n);
	free(text);
	r = msg_send(MGMT_FD_PEOPLE, m->id, &answer, NULL, 0);
	return r == 0 || r == -EAGAIN; /* a receiver that missed it will ask again */
}

/* Messages of control, which collects answers and asks for our status; the supervisor sends only
 * pings. */
static msg_handler *const handlers[MSG_TYPE_COUNT] = {
	[MSG_STATUS] = on_status,
	[MSG_ANSWER] = on_answer,
	[MSG_CERTIFICATES] = on_certificates,
	[MSG_PROGRESS] = on_progress,
};

static msg_handler *const none[MSG_TYPE_COUNT];

/* 1 = go on, 0 = the peer is gone, negative errno. */
static int hear(struct http *h, int fd, enum role from)
{
	int r;

	do
		r = msg_serve_of(fd, from, ROLE_MGMT, from == ROLE_CONTROL ? handlers : none, h);
	while (r == 1);
	return r == -EAGAIN || r == -EINTR ? 1 : r;
}

static int loop(struct http *h)
{
	struct pollfd p[5] = { { .fd = ROLE_FD_CONTROL, .events = POLLIN },
			       { .fd = MGMT_FD_PEOPLE, .events = POLLIN },
			       { .fd = http_poll_fd(h), .events = POLLIN },
			       { .fd = http_gone_fd(h), .events = POLLIN },
			       { .fd = http_left_fd(h), .events = POLLIN } };
	int r = 1;

	while (r > 0) {
		http_run(h, clock_mono());
		if (poll(p, 5, http_wait_ms(h, clock_mono())) < 0 && errno != EINTR)
			return -errno;
		if (p[0].revents != 0)
			r = hear(h, ROLE_FD_CONTROL, ROLE_SUPERVISOR);
		if (r > 0 && p[1].revents != 0)
			r = hear(h, MGMT_FD_PEOPLE, ROLE_CONTROL);
		for (unsigned i = 0; i < 5; i++)
			p[i].revents = 0;
	}
	return r;
}

static int nonblocking(int fd, struct err *e)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_set(e, -errno, "control channel");
	return 0;
}

/* Reports that the kept token could not be used. Called before any request is answered. */
static int say_token(const struct secrets *s, const struct err *why)
{
	const struct msg_body m = { MSG_MGMT_STATUS, .mgmt_status = { .token = (uint8_t)s->is } };

	(void)complain(why);
	return msg_send(ROLE_FD_CONTROL, 0, &m, NULL, 0);
}

int role_mgmt(void)
{
	struct event_port events = { .fd = ROLE_FD_EVENTS };
	struct secrets secrets;
	struct http *h = NULL;
	struct err e = { 0 };
	int r;

	signal(SIGPIPE, SIG_IGN);
	tzset(); /* reads a file, which the sandbox forbids later */
	r = secrets_open(MGMT_FD_SECRETS, &secrets, &e);
	if (r == 0)
		r = nonblocking(ROLE_FD_CONTROL, &e);
	if (r == 0)
		r = nonblocking(MGMT_FD_PEOPLE, &e);
	if (r == 0 && (h = http_start(MGMT_FD_LISTEN, MGMT_FD_PEOPLE, &secrets, &events, &e)) == NULL)
		r = e.code;
	secrets_forget_key(&secrets);
	if (r == 0)
		r = sandbox_enter(ROLE_MGMT, &e);
	close(MGMT_FD_SECRETS);
	if (r == 0 && secrets.is != TOKEN_KEPT)
		r = say_token(&secrets, &e);
	if (r == 0 && (r = msg_send(ROLE_FD_CONTROL, 0, &(struct msg_body){ .type = MSG_READY }, NULL, 0)) < 0)
		err_set(&e, r, "control channel");
	if (r == 0 && (r = loop(h)) < 0)
		err_set(&e, r, "control channel");
	http_stop(h);
	secrets_free(&secrets);
	return r < 0 ? complain(&e) : 0;
}
