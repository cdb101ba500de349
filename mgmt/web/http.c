/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd runs outside of any thread of its own: the role's loop polls its epoll descriptor. A request that has to
 * wait (for the supervisor, or because its sender guesses tokens) is suspended, so that nobody else waits with it; the
 * sweep below wakes it. What libmicrohttpd's own timeout does not bound, a client that sends a byte now and then, the
 * sweep ends by shutting the socket down.
 */
#include "mgmt/web/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "mgmt/web/api/routes.h"
#include "mgmt/web/budget.h"
#include "mgmt/web/certificate.h"
#include "mgmt/web/client.h"
#include "mgmt/web/crowd.h"

#define S_NS 1000000000u
#define PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:%SERVER_PRECEDENCE"

struct http {
	struct MHD_Daemon *daemon;
	struct certificate *certificate;
	int control_fd;
	const struct secrets *secrets;
	struct event_port *events;
	struct mono now; /* of the present http_run */
	uint32_t last_id;
	struct budget budget;
	struct http_counts counts;
	struct client clients[HTTP_CONNECTIONS];
};

/* ---- records ---------------------------------------------------------------------------------------------------- */

static void record(struct http *h, const struct addr *who, uint16_t port, bool accepted, uint64_t count)
{
	struct event e = event_new(EVENT_LOGIN, clock_wall_ns());

	e.verdict = accepted ? EV_ALLOW : EV_DENY;
	e.client = *who;
	e.client_port = port;
	e.l4proto = 6;
	e.count = count;
	event_send(h->events, &e);
}

static void record_due(struct http *h)
{
	struct addr who;
	uint64_t count;

	while (budget_due(&h->budget, h->now.ns, &who, &count))
		record(h, &who, 0, false, count);
}

/* ---- deciding a request ------------------------------------------------------------------------------------------ */

static enum MHD_Result answer_now(struct client *k)
{
	int fd = k->answer_fd;

	if (fd < 0)
		return reply_send(k->connection, k->reply);
	k->answer_fd = -1;
	return reply_answer(k->connection, k->answer_status, fd, k->form);
}

static enum MHD_Result hold(struct client *k, enum client_state state, uint64_t wake_ns)
{
	k->state = state;
	k->wake_ns = wake_ns;
	MHD_suspend_connection(k->connection);
	return MHD_YES;
}

static enum MHD_Result refuse(struct http *h, struct client *k)
{
	uint64_t report, delay = budget_failure(&h->budget, &k->who, h->now.ns, &report);

	h->counts.refused++;
	if (report > 0)
		record(h, &k->who, k->port, false, report);
	k->reply = REPLY_UNAUTHORIZED;
	return delay == 0 ? reply_send(k->connection, k->reply) : hold(k, CLIENT_HELD, h->now.ns + delay);
}

static enum MHD_Result ask(struct http *h, struct client *k, const struct route *route)
{
	struct msg_body question = { .type = route->question };
	unsigned asked = 0;

	if (k->target.bad_query || !route->ask(&k->target, &question))
		return reply_send(k->connection, REPLY_BAD_REQUEST);
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
		asked += h->clients[i].state == CLIENT_ASKED;
	k->id = ++h->last_id;
	k->form = route->form;
	k->reply = REPLY_UNAVAILABLE;
	if (asked >= HTTP_ASKED || msg_send(h->control_fd, k->id, &question, NULL, 0) < 0) {
		h->counts.unanswered++;
		return reply_send(k->connection, REPLY_UNAVAILABLE);
	}
	return hold(k, CLIENT_ASKED, h->now.ns + (uint64_t)HTTP_ASK_S * S_NS);
}

static enum MHD_Result decide(struct http *h, struct client *k, const char *method)
{
	const struct route *route = route_find(k->target.path);
	const struct page *page =
		k->target.n_parameters == 0 && !k->target.bad_query ? page_find(k->target.path) : NULL;
	const char *authorization;

	h->counts.requests++;
	if (route == NULL && page == NULL)
		return reply_send(k->connection, REPLY_NOT_FOUND);
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
		return reply_send(k->connection, REPLY_NOT_ALLOWED);
	if (page != NULL)
		return reply_page(k->connection, page);
	authorization = client_header(k, MHD_HTTP_HEADER_AUTHORIZATION);
	if (authorization == NULL || !token_matches(authorization, h->secrets->token))
		return refuse(h, k);
	k->known = true;
	if (budget_accepted(&h->budget, &k->who, h->now.ns))
		record(h, &k->who, k->port, true, 1);
	return ask(h, k, route);
}

/* ---- libmicrohttpd's callbacks ----------------------------------------------------------------------------------- */

/* The place is free when libmicrohttpd has seen that the connection ended. */
static void end_connection(struct client *k)
{
	k->deadline_ns = UINT64_MAX;
	shutdown(k->fd, SHUT_RDWR);
}

static struct client *client_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return i != NULL ? i->socket_context : NULL;
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
			if (client_init(k, c, h->now.ns, h->now.ns + (uint64_t)HTTP_HEAD_S * S_NS, &here))
				certificate_cover(h->certificate, &here);
			else
				k->deadline_ns = 0; /* the next sweep ends it */
			*context = k;
			return;
		}
}

/* The raw request target, before anybody decodes it. What is returned comes back as the request's context. */
static void *on_target(void *cls, const char *uri, struct MHD_Connection *c)
{
	struct client *k = client_of(c);

	(void)cls;
	if (k != NULL)
		target_parse(bytes_of(uri, strlen(uri)), &k->target);
	return k;
}

static size_t no_decoding(void *cls, struct MHD_Connection *c, char *text)
{
	(void)cls;
	(void)c;
	return strlen(text);
}

/* Somebody in between may have counted by another of the lengths than libmicrohttpd: each must be 0. */
static enum MHD_Result length_header(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	bool *body = cls;

	(void)kind;
	if (strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0 ||
	    (strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 && (value == NULL || strcmp(value, "0") != 0)))
		*body = true;
	return MHD_YES;
}

static bool has_body(const struct client *k)
{
	bool body = false;

	MHD_get_connection_values(k->connection, MHD_HEADER_KIND, length_header, &body);
	return body;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url, const char *method,
				  const char *version, const char *upload, size_t *upload_size, void **context)
{
	struct http *h = cls;
	struct client *k = *context;

	(void)c;
	(void)url;
	(void)version;
	(void)upload;
	if (k == NULL || *upload_size != 0)
		return MHD_NO;
	switch (k->state) {
	case CLIENT_IDLE: /* the head alone; libmicrohttpd calls again when the request is whole */
		k->state = CLIENT_HEAD;
		k->deadline_ns = h->now.ns + (uint64_t)HTTP_ANSWER_S * S_NS;
		return has_body(k) ? reply_send(c, REPLY_TOO_LARGE) : MHD_YES;
	case CLIENT_HEAD:
		return decide(h, k, method);
	case CLIENT_READY:
		return answer_now(k);
	case CLIENT_HELD:
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

	(void)c;
	(void)code;
	if (k != NULL)
		client_done(k, h->now.ns + (uint64_t)HTTP_HEAD_S * S_NS);
	*context = NULL;
}

/* Its messages tell about clients, not about us; what matters is counted. */
__attribute__((format(printf, 2, 0))) static void no_log(void *cls, const char *fmt, va_list ap)
{
	(void)cls;
	(void)fmt;
	(void)ap;
}

/* GnuTLS asks without any context of ours, and there is one server in a process: this is what it presents. */
static struct certificate *presented;

static int on_handshake(gnutls_session_t session, const gnutls_datum_t *authorities, int n_authorities,
			const gnutls_pk_algorithm_t *algorithms, int n_algorithms, gnutls_pcert_st **chain,
			unsigned *n_chain, gnutls_privkey_t *key)
{
	(void)session;
	(void)authorities;
	(void)n_authorities;
	(void)algorithms;
	(void)n_algorithms;
	certificate_present(presented, chain, n_chain, key);
	return 0;
}

/* ---- the loop's side --------------------------------------------------------------------------------------------- */

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
	h->certificate = certificate_open(s->key, s->certificate, e);
	if (h->certificate == NULL) {
		free(h);
		return NULL;
	}
	presented = h->certificate;
	h->daemon = MHD_start_daemon(
		MHD_USE_TLS | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request,
		h, MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL, MHD_OPTION_LISTEN_SOCKET, listen_fd,
		MHD_OPTION_HTTPS_CERT_CALLBACK, on_handshake, MHD_OPTION_HTTPS_PRIORITIES, PRIORITIES,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned)HTTP_PER_ADDRESS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_ANSWER_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEAD_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_URI_LOG_CALLBACK, on_target, h,
		MHD_OPTION_UNESCAPE_CALLBACK, no_decoding, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
	if (h->daemon == NULL) {
		err_set(e, -EIO, "HTTPS server");
		certificate_close(h->certificate);
		free(h);
		return NULL;
	}
	return h;
}

int http_poll_fd(const struct http *h)
{
	return MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

static void wake(struct client *k)
{
	k->state = CLIENT_READY;
	MHD_resume_connection(k->connection);
}

static void sweep(struct http *h)
{
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
		struct client *k = &h->clients[i];

		if (k->state == CLIENT_FREE)
			continue;
		if ((k->state == CLIENT_HELD || k->state == CLIENT_ASKED) && k->wake_ns <= h->now.ns) {
			h->counts.unanswered += k->state == CLIENT_ASKED;
			wake(k);
		}
		if (k->deadline_ns <= h->now.ns)
			end_connection(k);
	}
}

void http_run(struct http *h, struct mono now)
{
	h->now = now;
	record_due(h);
	sweep(h);
	MHD_run(h->daemon);
}

int http_wait_ms(const struct http *h, struct mono now)
{
	uint64_t next = budget_next_ns(&h->budget);
	unsigned long long ms = 0, own;
	bool limited = MHD_get_timeout(h->daemon, &ms) == MHD_YES;

	for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
		const struct client *k = &h->clients[i];

		if (k->state == CLIENT_FREE)
			continue;
		if (k->deadline_ns < next)
			next = k->deadline_ns;
		if ((k->state == CLIENT_HELD || k->state == CLIENT_ASKED) && k->wake_ns < next)
			next = k->wake_ns;
	}
	if (next != UINT64_MAX) {
		own = next <= now.ns ? 0 : (next - now.ns) / 1000000u + 1;
		ms = limited && ms < own ? ms : own;
		limited = true;
	}
	return !limited ? -1 : ms > 60000 ? 60000 : (int)ms;
}

void http_answer(struct http *h, struct msg *m)
{
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
		struct client *k = &h->clients[i];

		if (k->state != CLIENT_ASKED || k->id != m->id)
			continue;
		if (m->n_fds == 1) {
			k->answer_fd = msg_take_fd(m, 0);
			k->answer_status = m->body.answer.status;
		}
		wake(k);
		break;
	}
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
		if (h->clients[i].state == CLIENT_HELD || h->clients[i].state == CLIENT_ASKED)
			wake(&h->clients[i]);
	MHD_run(h->daemon);
	MHD_stop_daemon(h->daemon);
	certificate_close(h->certificate);
	presented = NULL;
	free(h);
}
