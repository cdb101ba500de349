/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd runs without threads of its own: the role's loop polls its epoll descriptor. A
 * request that waits (for control, or because its sender guesses tokens) is suspended, so
 * that nobody else waits with it; the sweep below wakes it. libmicrohttpd's own timeout does not
 * bound a client that sends a byte now and then: the sweep shuts its socket down.
 */
#include "mgmt/web/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mgmt/report/answers.h"
#include "mgmt/web/api/routes.h"
#include "mgmt/web/decide.h"
#include "mgmt/web/login.h"
#include "mgmt/web/order.h"

#define PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:%SERVER_PRECEDENCE"

/* ---- libmicrohttpd's callbacks --------------------------------------------------------------- */

static gnutls_session_t tls_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return i != NULL ? i->tls_session : NULL;
}

/* Ends a client's connection. The client's place is free only when libmicrohttpd has seen the
 * end. */
static void end_connection(struct client *k)
{
	k->deadline_ns = UINT64_MAX;
	shutdown(k->fd, SHUT_RDWR);
	/* A suspended connection does not report its end. */
	if (k->state == CLIENT_QUEUED)
		http_wake(k);
}

static struct client *client_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return i != NULL ? i->socket_context : NULL;
}

/* Whether a new connection is accepted, decided before any work on it. libmicrohttpd's own limit
 * for an address would also count connections that a session covers. */
static enum MHD_Result on_dial(void *cls, const struct sockaddr *from, socklen_t n)
{
	struct http *h = cls;
	struct sockaddr_storage there = { 0 };
	struct addr who;
	uint16_t port;

	memcpy(&there, from, n < sizeof(there) ? n : sizeof(there));
	return client_endpoint(&there, &who, &port) &&
			       crowd_uncovered(h->clients, HTTP_CONNECTIONS, &who) < HTTP_PER_ADDRESS
		       ? MHD_YES
		       : MHD_NO;
}

static void on_connection(void *cls, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct http *h = cls;
	struct client *k = *context, *victim;
	struct addr here;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (k != NULL) {
			client_done(k, 0);
			k->state = CLIENT_FREE;
			h->counts.connections--;
		}
		return;
	}
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
		if (h->clients[i].state == CLIENT_FREE) {
			k = &h->clients[i];
			h->counts.connections++;
			if (h->counts.connections > HTTP_CROWDED &&
			    (victim = crowd_victim(h->clients, HTTP_CONNECTIONS)) != NULL)
				end_connection(victim);
			certificate_ask(tls_of(c));
			if (client_init(k, c, h->now.ns, h->now.ns + (uint64_t)HTTP_HEAD_S * S_NS, &here))
				certificate_cover(h->certificate, &here);
			else
				k->deadline_ns = 0; /* the next sweep ends it */
			*context = k;
			return;
		}
}

/* The raw request target, before anybody decodes it. The return value becomes the request's
 * context. */
static void *on_target(void *cls, const char *uri, struct MHD_Connection *c)
{
	struct client *k = client_of(c);

	if (k != NULL) {
		k->spoke = true;
		certificate_shown(tls_of(c), k->shown);
		k->line = uri;
		k->n_line = strlen(uri);
		target_parse(bytes_of(uri, k->n_line), &k->target);
	}
	return k;
}

/* Whether the target has no NUL. libmicrohttpd passes it as a text, which ends at its first NUL.
 * Only if the target ends there as well, the version follows directly behind it in memory. */
static bool whole_target(const struct client *k, const char *version)
{
	return k->line != NULL && (uintptr_t)version == (uintptr_t)k->line + k->n_line + 1;
}

static size_t no_decoding(void *cls, struct MHD_Connection *c, char *text)
{
	return strlen(text);
}

/* Sets *body if a header announces a body. Each header counts: if a head has several lengths, an
 * intermediary may have used another one than libmicrohttpd does. */
static enum MHD_Result length_header(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	bool *body = cls;

	if (strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0 ||
	    (strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 && (value == NULL || strcmp(value, "0") != 0)))
		*body = true;
	return MHD_YES;
}

/* The texts of a policy are large, so few are taken at a time. */
static bool room_for_order(const struct http *h, const struct client *k)
{
	unsigned all = 0, own = 0;

	for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
		const struct client *o = &h->clients[i];
		bool holds = o->state != CLIENT_FREE && o != k && o->body_room > LOGIN_BODY;

		all += holds;
		own += holds && addr_same_host(&o->who, &k->who);
	}
	return all < HTTP_ORDERS && own == 0;
}

static bool is_change(const struct client *k)
{
	return strcmp(k->target.path, POST_CHANGE) == 0;
}

/* Called before the body comes. False: the body is refused, for the reason in *ret_refusal. */
static bool body_fits(struct client *k, const char *method, enum reply_kind *ret_refusal)
{
	size_t most = is_change(k) ? CHANGE_BODY : LOGIN_BODY, n;
	bool body = false;

	*ret_refusal = REPLY_TOO_LARGE;
	/* Exactly one length in digits, and no other framing. */
	if (route_is_posted(k->target.path) && strcmp(method, MHD_HTTP_METHOD_POST) == 0 &&
	    client_has_header(k, MHD_HTTP_HEADER_CONTENT_LENGTH)) {
		if (!login_length(client_header(k, MHD_HTTP_HEADER_CONTENT_LENGTH), most, &n) ||
		    client_has_header(k, MHD_HTTP_HEADER_TRANSFER_ENCODING))
			return false;
		*ret_refusal = !is_change(k) || client_shows_session(k) ? REPLY_UNAVAILABLE : REPLY_LOGIN;
		k->announced = n;
		return *ret_refusal != REPLY_LOGIN && (n > LOGIN_BODY || client_expect(k, n));
	}
	MHD_get_connection_values(k->connection, MHD_HEADER_KIND, length_header, &body);
	return !body;
}

/* A stranger's body is not stored. He is answered only after the body, because a page whose sending
 * is cut off would see no answer. */
static enum MHD_Result take_body(struct http *h, struct client *k)
{
	k->state = CLIENT_HEAD;
	k->stage = STAGE_BOX;
	k->drains = !k->bearer;
	if (k->drains || (room_for_order(h, k) && client_expect(k, k->announced)))
		return MHD_YES;
	return reply_send(k->connection, REPLY_UNAVAILABLE);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url, const char *method,
				  const char *version, const char *upload, size_t *upload_size, void **context)
{
	struct http *h = cls;
	struct client *k = *context;
	enum reply_kind refusal;

	if (k == NULL)
		return MHD_NO;
	if (*upload_size != 0 && k->drains) {
		*upload_size = 0;
		return MHD_YES;
	}
	if (*upload_size != 0) {
		if (k->state != CLIENT_HEAD || *upload_size > k->body_room - k->n_body)
			return MHD_NO;
		memcpy(k->body + k->n_body, upload, *upload_size);
		k->n_body += *upload_size;
		*upload_size = 0;
		return MHD_YES;
	}
	switch (k->state) {
	/* only the head; libmicrohttpd calls again when the request is complete */
	case CLIENT_IDLE:
		k->state = CLIENT_HEAD;
		k->deadline_ns = h->now.ns + (uint64_t)HTTP_ANSWER_S * S_NS;
		if (!whole_target(k, version))
			return reply_send(c, REPLY_NOT_FOUND);
		if (!body_fits(k, method, &refusal))
			return reply_send(c, refusal);
		return k->announced > LOGIN_BODY ? http_ask_whose_body(h, k) : MHD_YES;
	case CLIENT_HEAD:
		return k->drains ? reply_send(c, k->reply) : http_decide(h, k, method);
	case CLIENT_READY:
		return k->stage == STAGE_BODY ? take_body(h, k) : http_answer_now(h, k);
	case CLIENT_HELD:
	case CLIENT_QUEUED:
	case CLIENT_ASKED:
	case CLIENT_FREE:
		break;
	}
	return MHD_NO;
}

static void on_completed(void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code)
{
	struct http *h = cls;
	struct client *k = *context;

	if (k != NULL)
		client_done(k, h->now.ns + (uint64_t)HTTP_HEAD_S * S_NS);
	*context = NULL;
}

/* The library's messages are about clients, not about us; what matters is counted. */
__attribute__((format(printf, 2, 0))) static void no_log(void *cls, const char *fmt, va_list ap)
{
}

/* GnuTLS's callback has no context, and a process has one server: this is the certificate that it
 * presents. */
static struct certificate *presented;

static int on_handshake(gnutls_session_t session, const gnutls_datum_t *authorities, int n_authorities,
			const gnutls_pk_algorithm_t *algorithms, int n_algorithms, gnutls_pcert_st **chain,
			unsigned *n_chain, gnutls_privkey_t *key)
{
	certificate_present(presented, chain, n_chain, key);
	return 0;
}

/* ---- called by the loop ---------------------------------------------------------------------- */

static void http_free(struct http *h)
{
	live_close(h->live);
	certificate_close(h->certificate);
	presented = NULL;
	if (h->left_fd >= 0)
		close(h->left_fd);
	json_decref(h->platform);
	free(h);
}

struct http *http_start(int listen_fd, int control_fd, const struct secrets *s, struct event_port *events,
			struct err *e)
{
	struct http *h = calloc(1, sizeof(*h));
	int flags = fcntl(listen_fd, F_GETFL);

	if (h == NULL || flags < 0 || fcntl(listen_fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		err_set(e, h == NULL ? -ENOMEM : -errno, "listening socket");
		free(h);
		return NULL;
	}
	h->control_fd = control_fd;
	h->secrets = s;
	h->events = events;
	h->now = clock_mono();
	h->platform = platform_of(PLATFORM_OS_RELEASE, PLATFORM_RELEASES, PLATFORM_CONSOLE, PLATFORM_PRIVATE);
	h->left_fd = epoll_create1(EPOLL_CLOEXEC);
	h->live = h->left_fd >= 0 ? live_open(control_fd, &h->last_id) : NULL;
	h->certificate = h->live != NULL ? certificate_open(s->key, s->certificate, e) : NULL;
	if (h->certificate == NULL) {
		if (h->live == NULL)
			err_set(e, -ENOMEM, "streams");
		http_free(h);
		return NULL;
	}
	presented = h->certificate;
	h->daemon = MHD_start_daemon(
		MHD_USE_TLS | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, on_dial, h, on_request,
		h, MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL, MHD_OPTION_LISTEN_SOCKET, listen_fd,
		MHD_OPTION_HTTPS_CERT_CALLBACK, on_handshake, MHD_OPTION_HTTPS_PRIORITIES, PRIORITIES,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)HTTP_ANSWER_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEAD_BYTES,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, h, MHD_OPTION_UNESCAPE_CALLBACK, no_decoding, NULL,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
	if (h->daemon == NULL) {
		err_set(e, -EIO, "HTTPS server");
		http_free(h);
		return NULL;
	}
	return h;
}

int http_gone_fd(const struct http *h)
{
	return live_gone_fd(h->live);
}

int http_left_fd(const struct http *h)
{
	return h->left_fd;
}

int http_poll_fd(const struct http *h)
{
	return MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

/* Whether the request waits for something, but not longer than until wake_ns. */
static bool waits(const struct client *k)
{
	return k->state == CLIENT_HELD || k->state == CLIENT_QUEUED || k->state == CLIENT_ASKED;
}

static void sweep(struct http *h)
{
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
		struct client *k = &h->clients[i];

		if (k->state == CLIENT_FREE)
			continue;
		if (waits(k) && k->wake_ns <= h->now.ns) {
			h->counts.unanswered += k->state != CLIENT_HELD;
			if (k->state == CLIENT_ASKED)
				http_stop_asking(h, k);
			http_wake(k);
		}
		if (k->deadline_ns <= h->now.ns)
			end_connection(k);
	}
}

static void left(struct http *h)
{
	struct epoll_event list[HTTP_ASKED];
	int n = epoll_wait(h->left_fd, list, HTTP_ASKED, 0);

	for (int i = 0; i < n; i++) {
		uint64_t place = list[i].data.u64 >> 32;
		struct client *k = place < HTTP_CONNECTIONS ? &h->clients[place] : NULL;

		if (k == NULL || k->state != CLIENT_ASKED || k->id != (uint32_t)list[i].data.u64)
			continue;
		http_stop_asking(h, k);
		end_connection(k);
		http_wake(k);
	}
}

void http_run(struct http *h, struct mono now)
{
	h->now = now;
	http_record_due(h);
	left(h);
	sweep(h);
	http_admit(h);
	live_gone(h->live);
	live_run(h->live, now.ns, http_asked(h, NULL) < HTTP_ASKED);
	MHD_run(h->daemon);
}

/*
 * While a peer owes the rest of its handshake, libmicrohttpd (0.9.75) wants to be called again at
 * once, because it does not see that its TLS library has read everything. Input is reported by the
 * descriptor, so a short pause delays nothing. In a crowd there is no pause, because it would delay
 * the end of connections that have to end.
 */
static bool shakes_hands(const struct http *h)
{
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
		if (h->clients[i].state != CLIENT_FREE && !h->clients[i].spoke)
			return true;
	return false;
}

int http_wait_ms(const struct http *h, struct mono now)
{
	uint64_t next = budget_next_ns(&h->budget), live = live_next_ns(h->live);
	unsigned long long ms = 0, own;
	bool limited = MHD_get_timeout(h->daemon, &ms) == MHD_YES;

	if (limited && ms == 0 && h->counts.connections <= HTTP_CROWDED && shakes_hands(h))
		ms = 1;
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
		const struct client *k = &h->clients[i];

		if (k->state == CLIENT_FREE)
			continue;
		if (k->deadline_ns < next)
			next = k->deadline_ns;
		if (waits(k) && k->wake_ns < next)
			next = k->wake_ns;
	}
	next = live < next ? live : next;
	if (next != UINT64_MAX) {
		own = next <= now.ns ? 0 : (next - now.ns) / 1000000u + 1;
		ms = limited && ms < own ? ms : own;
		limited = true;
	}
	return !limited ? -1 : ms > 60000 ? 60000 : (int)ms;
}

/* Whether the client waits for an answer that tells whether its session is real. */
static bool judges(const struct client *k)
{
	return k->stage == STAGE_JUDGE_SESSION || k->stage == STAGE_JUDGE_TOKEN || k->stage == STAGE_BODY ||
	       k->stage == STAGE_ME;
}

void http_answer(struct http *h, struct msg *m)
{
	if (live_answer(h->live, m, h->now.ns))
		return;
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
		struct client *k = &h->clients[i];

		if (k->state != CLIENT_ASKED || k->id != m->id)
			continue;
		if (judges(k) && (m->body.answer.status == ANSWER_YES || m->body.answer.status == ANSWER_NO))
			http_cover(h, k, m->body.answer.status == ANSWER_YES);
		if (k->stage == STAGE_JUDGE_SESSION || k->stage == STAGE_JUDGE_TOKEN) {
			http_judged(h, k, m);
			break;
		}
		if (k->stage == STAGE_BODY) {
			http_sender_judged(k, m->body.answer.status);
			break;
		}
		if (k->stage == STAGE_REPORT) {
			http_report_heard(h, k, m);
			break;
		}
		k->known |= k->stage != STAGE_BOX && k->stage != STAGE_CHALLENGE && m->body.answer.status == ANSWER_YES;
		if (m->n_fds == 1) {
			k->answer_fd = msg_take_fd(m, 0);
			k->answer_status = m->body.answer.status;
		}
		http_wake(k);
		break;
	}
}

void http_progress(struct http *h, const struct msg *m)
{
	uint8_t secret[LOGIN_SECRET];
	enum credential what;

	for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
		const struct client *k = &h->clients[i];

		if (k->state != CLIENT_ASKED || k->id != m->id || k->ask == 0 || !client_credential(k, &what, secret))
			continue;
		live_progress(h->live, what, secret, k->ask, &m->body.progress, h->now.ns);
		explicit_bzero(secret, sizeof(secret));
	}
}

const char *http_authority(const struct http *h)
{
	return h->secrets->certificate;
}

struct http_counts http_counts(const struct http *h)
{
	return h->counts;
}

void http_stop(struct http *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
		if (waits(&h->clients[i]))
			http_wake(&h->clients[i]);
	live_end(h->live);
	MHD_run(h->daemon);
	MHD_stop_daemon(h->daemon);
	http_free(h);
}

uint8_t http_token(const struct http *h)
{
	return (uint8_t)h->secrets->is;
}
