/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a request: who sends it, whether he may, what the box is asked, and what is
 * answered. */
#include "mgmt/web/decide.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "mgmt/web/api/routes.h"
#include "mgmt/web/login.h"
#include "mgmt/web/order.h"

#define ASK_HEADER "Sekisho-Ask"

/* ---- records --------------------------------------------------------------------------------- */

static void record_login(struct http *h, const struct addr *who, uint16_t port, bool accepted, uint64_t count)
{
	struct event e = event_new(EVENT_LOGIN, clock_wall_ns());

	e.verdict = accepted ? EV_ALLOW : EV_DENY;
	e.client = *who;
	e.client_port = port;
	e.l4proto = 6;
	e.count = count;
	event_send(h->events, &e);
}

void http_record_due(struct http *h)
{
	struct addr who;
	uint64_t count;

	while (budget_due(&h->budget, h->now.ns, &who, &count))
		record_login(h, &who, 0, false, count);
}

/* ---- deciding a request ---------------------------------------------------------------------- */

/* If the answer is missing or incomplete, there is no report. */
static enum MHD_Result answer_report(struct client *k)
{
	const char *type;
	size_t n = 0;
	char *text = web_report_text(k->report, &type, &n);

	return text != NULL ? reply_text(k->connection, type, text, n) : reply_send(k->connection, REPLY_UNAVAILABLE);
}

enum MHD_Result http_answer_now(struct http *h, struct client *k)
{
	/* For each stage, the kind of answer to send; 0: an answer of control in the box's name. */
	static const enum reply_to said[STAGE_REPORT + 1] = {
		[STAGE_ME] = REPLY_TO_ME,	  [STAGE_CHALLENGE] = REPLY_TO_ME,   [STAGE_LOGIN] = REPLY_TO_LOGIN,
		[STAGE_LOGOUT] = REPLY_TO_LOGOUT, [STAGE_KEY] = REPLY_TO_KEY,	     [STAGE_CHANGE] = REPLY_TO_CHANGE,
		[STAGE_MANAGE] = REPLY_TO_MANAGE, [STAGE_RECORDS] = REPLY_TO_RECORDS
	};
	enum reply_to to = said[k->stage];
	int fd = k->answer_fd;

	if (k->report != NULL)
		return answer_report(k);
	if (k->stream != NULL)
		return reply_stream(k->connection, live_read, k->stream);
	if (fd < 0)
		return reply_send(k->connection, k->reply);
	k->answer_fd = -1;
	if (to != REPLY_TO_NOBODY)
		return reply_said(k->connection, to, k->answer_status, fd);
	return reply_answer(k->connection, k->answer_status, fd,
			    &(struct asked){ &k->target, live_seen(h->live), clock_wall_ns() }, k->form);
}

static uint64_t in_s(const struct http *h, unsigned seconds)
{
	return h->now.ns + (uint64_t)seconds * S_NS;
}

static enum MHD_Result hold_client(struct client *k, enum client_state state, uint64_t wake_ns)
{
	k->state = state;
	k->wake_ns = wake_ns;
	MHD_suspend_connection(k->connection);
	return MHD_YES;
}

void http_wake(struct client *k)
{
	k->state = CLIENT_READY;
	MHD_resume_connection(k->connection);
}

/* Counts a wrong token. Returns by how much the answer is delayed. */
static uint64_t count_refused(struct http *h, struct client *k)
{
	uint64_t report, delay = budget_failure(&h->budget, &k->who, h->now.ns, &report);

	h->counts.refused++;
	if (report > 0)
		record_login(h, &k->who, k->port, false, report);
	k->reply = REPLY_UNAUTHORIZED;
	return delay;
}

static enum MHD_Result refuse_client(struct http *h, struct client *k)
{
	uint64_t delay = count_refused(h, k);

	return delay == 0 ? reply_send(k->connection, k->reply) : hold_client(k, CLIENT_HELD, h->now.ns + delay);
}

/* The number of questions under way, without that of `k`. */
unsigned http_asked(const struct http *h, const struct client *k)
{
	unsigned n = live_asks(h->live);

	for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
		n += h->clients[i].state == CLIENT_ASKED && &h->clients[i] != k;
	return n;
}

/* Questions that take long. The box decides which of them it can stop. */
static bool is_stoppable(const struct msg_body *question)
{
	const struct msg_change *c = &question->change;

	if (question->type == MSG_CHANGE)
		return c->order == CHANGE_CHECK || c->order == CHANGE_TRY ||
		       ((c->order == CHANGE_APPLY || c->order == CHANGE_ROLLBACK) && (c->flags & APPLY_DRY_RUN) != 0);
	return question->type == MSG_VERIFY || question->type == MSG_EFFECTIVE || question->type == MSG_FLOWS ||
	       question->type == MSG_EVENTS || question->type == MSG_ASK;
}

/* The number that a page gives its question: one to nine digits, not 0. 0: none or an invalid
 * one. */
static uint32_t ask_of(const struct client *k)
{
	const char *text = client_header(k, ASK_HEADER);
	size_t n = text != NULL ? strlen(text) : 0;

	return n > 0 && n <= 9 && strspn(text, "0123456789") == n ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

/* Asks the box for progress reports on long work, if the page wants them. */
static void want_progress(struct client *k, struct msg_body *question)
{
	k->ask = ask_of(k);
	if (k->ask == 0)
		return;
	if (question->type == MSG_VERIFY)
		question->verify.tell = 1;
	else if (question->type == MSG_EFFECTIVE)
		question->effective.tell = 1;
	else if (question->type == MSG_CHANGE)
		question->change.flags |= APPLY_TELL;
	else
		k->ask = 0;
}

/* From now on, watches whether the waiting client hangs up. It may have done so already. */
static void watch_leaving(struct http *h, struct client *k, const struct msg_body *question)
{
	struct epoll_event e = { .events = EPOLLRDHUP | EPOLLONESHOT,
				 .data.u64 = (uint64_t)(k - h->clients) << 32 | k->id };

	k->tries = is_stoppable(question);
	if (k->tries && epoll_ctl(h->left_fd, EPOLL_CTL_ADD, k->fd, &e) < 0 && errno == EEXIST)
		(void)epoll_ctl(h->left_fd, EPOLL_CTL_MOD, k->fd, &e);
}

/* To be called when nobody waits any more for the answer to the client's question. Tells the box,
 * if the box can then stop work. */
void http_stop_asking(struct http *h, struct client *k)
{
	if (k->tries)
		(void)msg_send(h->control_fd, k->id, &(struct msg_body){ .type = MSG_STOP }, NULL, 0);
	k->tries = false;
}

/* `fd` is sent along and stays the caller's; -1 = none. True: the question is under way, and its
 * answer belongs to `stage`. */
static bool ask_box(struct http *h, struct client *k, enum client_stage stage, struct msg_body *question, int fd)
{
	k->id = ++h->last_id;
	k->stage = stage;
	want_progress(k, question);
	k->reply = REPLY_UNAVAILABLE;
	if (http_asked(h, k) >= HTTP_ASKED || msg_send(h->control_fd, k->id, question, &fd, fd >= 0 ? 1 : 0) < 0) {
		h->counts.unanswered++;
		return false;
	}
	watch_leaving(h, k, question);
	return true;
}

static enum MHD_Result ask_and_wait(struct http *h, struct client *k, enum client_stage stage,
				    struct msg_body *question)
{
	if (!ask_box(h, k, stage, question, -1))
		return reply_send(k->connection, REPLY_UNAVAILABLE);
	return hold_client(k, CLIENT_ASKED, in_s(h, HTTP_ASK_S));
}

/* Puts the reader's name into a question for records, because reading them is itself recorded. */
static void name_reader(const struct client *k, struct msg_body *question)
{
	if (question->type != MSG_EVENTS)
		return;
	question->events.family = k->who.family;
	memcpy(question->events.from, k->who.b, sizeof(question->events.from));
	memcpy(question->events.by, k->reader, sizeof(question->events.by) - 1);
}

static bool route_question(const struct client *k, const struct route *route, struct msg_body *ret)
{
	*ret = (struct msg_body){ .type = route->question };
	if (k->target.bad_query || !route->ask(&k->target, ret))
		return false;
	name_reader(k, ret);
	return true;
}

/* The next question that a report takes. False: there is none, or it cannot be asked. */
static bool ask_for_report(struct http *h, struct client *k)
{
	struct msg_body question;

	if (!web_report_next(k->report, &question))
		return false;
	name_reader(k, &question);
	return ask_box(h, k, STAGE_REPORT, &question, -1);
}

/* `rights`: those of the person who wants the report (web_report_new). True: the first question is
 * on its way. */
static bool begin_report(struct http *h, struct client *k, const json_t *rights)
{
	k->report = web_report_new(&k->target, rights, h->platform);
	k->deadline_ns = in_s(h, HTTP_REPORT_S + HTTP_HEAD_S);
	k->wake_ns = in_s(h, HTTP_REPORT_S);
	k->reply = REPLY_UNAVAILABLE;
	return k->report != NULL && ask_for_report(h, k);
}

void http_report_heard(struct http *h, struct client *k, struct msg *m)
{
	web_report_heard(k->report, m->body.answer.status, m->n_fds == 1 ? msg_take_fd(m, 0) : -1);
	if (!ask_for_report(h, k))
		http_wake(k);
}

/* Notes who reads, from the answer of accounts: an account, or a token with a name. */
static void note_reader(struct client *k, const json_t *who)
{
	const char *name = json_string_value(json_object_get(who, "name"));

	snprintf(k->reader, sizeof(k->reader), "%s%s", k->stage == STAGE_JUDGE_TOKEN ? "token " : "",
		 name != NULL ? name : "?");
}

static struct msg_judge credential(const struct client *k, enum credential what, const uint8_t secret[LOGIN_SECRET])
{
	struct msg_judge m = { .what = (uint8_t)what, .family = k->who.family };

	memcpy(m.from, k->who.b, sizeof(m.from));
	memcpy(m.shown, k->shown, sizeof(m.shown));
	memcpy(m.secret, secret, LOGIN_SECRET);
	return m;
}

/* Asks accounts whose secret this is, and whether that person may use the route; `route` NULL: only
 * whose it is. An invalid request is refused without asking. */
static enum MHD_Result ask_accounts(struct http *h, struct client *k, const struct route *route,
				    enum client_stage stage, const uint8_t secret[LOGIN_SECRET])
{
	struct msg_body question, who = { .type = MSG_JUDGE };

	if (route != NULL && !route_question(k, route, &question))
		return reply_send(k->connection, REPLY_BAD_REQUEST);
	who.judge = credential(k, stage == STAGE_JUDGE_TOKEN ? CREDENTIAL_TOKEN : CREDENTIAL_SESSION, secret);
	who.judge.right = route != NULL ? (uint8_t)route->right : RIGHT_COUNT;
	k->route = route;
	return ask_and_wait(h, k, stage, &who);
}

/* Begins a stream for the client, which may have one. `who`: the question by which accounts is
 * asked about the client from now on; NULL for the box's own token. Without a free place, the reply
 * says so. */
static void begin_stream(struct http *h, struct client *k, const char *name, const struct msg_judge *who)
{
	struct live_wish w = { .own = who == NULL, .name = name, .flow = k->target.n_parameters > 0 };

	w.who.family = k->who.family;
	memcpy(w.who.from, k->who.b, sizeof(w.who.from));
	if (who != NULL)
		w.who = *who;
	w.resumes = live_read_id(client_header(k, "Last-Event-ID"), &w.after);
	k->stream = live_join(h->live, k->connection, k->fd, &w, h->now.ns);
	explicit_bzero(&w, sizeof(w));
	k->reply = REPLY_CROWDED;
	if (k->stream != NULL)
		k->deadline_ns = UINT64_MAX; /* a stream has no end; live.c ends a slow one */
}

/* The box's own token reads without a person. */
static enum MHD_Result serve_own_token(struct http *h, struct client *k, const struct route *route)
{
	struct msg_body question;

	snprintf(k->reader, sizeof(k->reader), "the box's token");
	if (!route_question(k, route, &question))
		return reply_send(k->connection, REPLY_BAD_REQUEST);
	switch (route->kind) {
	case ROUTE_STREAM:
		begin_stream(h, k, "", NULL);
		return http_answer_now(h, k);
	case ROUTE_REPORT:
		return begin_report(h, k, NULL) ? hold_client(k, CLIENT_ASKED, k->wake_ns)
						: reply_send(k->connection, REPLY_UNAVAILABLE);
	case ROUTE_ANSWER:
		break;
	}
	k->form = route->form;
	return ask_and_wait(h, k, STAGE_BOX, &question);
}

/* The credential was just judged real or not. An ended session covers nothing any more. */
void http_cover(struct http *h, struct client *k, bool real)
{
	uint8_t secret[LOGIN_SECRET];
	enum credential what;

	k->covered = 0;
	if (real && client_credential(k, &what, secret))
		crowd_cover(h->clients, HTTP_CONNECTIONS, k, secret, HTTP_PER_SESSION, HTTP_COVERED);
	explicit_bzero(secret, sizeof(secret));
}

/* A GET. It comes with the box's own token, which may read without a person; with a token of
 * accounts; or with a session. */
static enum MHD_Result decide_get(struct http *h, struct client *k, const struct route *route)
{
	const char *authorization = client_header(k, MHD_HTTP_HEADER_AUTHORIZATION);
	const char *cookie = client_header(k, MHD_HTTP_HEADER_COOKIE);
	uint8_t secret[LOGIN_SECRET];

	if (cookie != NULL && !client_has_header(k, MHD_HTTP_HEADER_AUTHORIZATION))
		return login_cookie(cookie, secret)
			       ? ask_accounts(h, k, route, route != NULL ? STAGE_JUDGE_SESSION : STAGE_ME, secret)
			       : reply_send(k->connection, REPLY_LOGIN);
	/* Our pages ask who somebody is before they know whether anybody is signed in. */
	if (route == NULL && !client_has_header(k, MHD_HTTP_HEADER_AUTHORIZATION))
		return reply_send(k->connection, REPLY_LOGIN);
	if (authorization == NULL || route == NULL)
		return refuse_client(h, k);
	if (!token_matches(authorization, h->secrets->token))
		return login_bearer(authorization, secret) ? ask_accounts(h, k, route, STAGE_JUDGE_TOKEN, secret)
							   : refuse_client(h, k);
	/* a program that only reads counters must not see who works with the box */
	if (route->right == RIGHT_READ_ACCOUNTS)
		return reply_send(k->connection, REPLY_FORBIDDEN);
	k->known = true;
	http_cover(h, k, true);
	if (budget_accepted(&h->budget, &k->who, h->now.ns))
		record_login(h, &k->who, k->port, true, 1);
	return serve_own_token(h, k, route);
}

static bool ask_login(struct http *h, struct client *k)
{
	struct msg_body question = { .type = MSG_LOGIN };
	char proof[WEBAUTHN_TEXT + 1];
	bool sent = login_read(k->body, k->n_body, &question.login, proof);

	if (sent) {
		question.login.family = k->who.family;
		memcpy(question.login.from, k->who.b, sizeof(question.login.from));
		memcpy(question.login.shown, k->shown, sizeof(question.login.shown));
		sent = ask_box(h, k, STAGE_LOGIN, &question, -1);
	}
	client_forget_body(k);
	explicit_bzero(proof, sizeof(proof));
	explicit_bzero(&question, sizeof(question));
	return sent;
}

/* Asks for a challenge, which anybody may get. */
static bool ask_challenge(struct http *h, struct client *k)
{
	struct msg_body question = { .type = MSG_CHALLENGE };

	question.challenge.family = k->who.family;
	memcpy(question.challenge.from, k->who.b, sizeof(question.challenge.from));
	return ask_box(h, k, STAGE_CHALLENGE, &question, -1);
}

/*
 * Lets waiting logins and challenges ask the box. A login takes long, and strangers can ask for
 * one. So only some may ask at once, which leaves room for people who are logged in. The others
 * wait here: if they were told to come again, a person would have to be quicker than programs that
 * do nothing else.
 */
void http_admit(struct http *h)
{
	struct client *k;

	while (http_asked(h, NULL) < HTTP_ASKED &&
	       (k = crowd_next(h->clients, HTTP_CONNECTIONS, HTTP_LOGINS, HTTP_LOGINS_EACH)) != NULL) {
		if (k->stage == STAGE_LOGIN ? ask_login(h, k) : ask_challenge(h, k)) {
			k->state = CLIENT_ASKED;
			k->wake_ns = in_s(h, HTTP_ASK_S);
		} else {
			http_wake(k);
		}
	}
}

static enum MHD_Result queue_up(struct http *h, struct client *k, enum client_stage stage)
{
	enum MHD_Result r = hold_client(k, CLIENT_QUEUED, in_s(h, HTTP_QUEUE_S));

	k->stage = stage;
	k->reply = REPLY_UNAVAILABLE;
	http_admit(h);
	return r;
}

static enum MHD_Result decide_login(struct http *h, struct client *k)
{
	struct msg_login said;
	char proof[WEBAUTHN_TEXT + 1];
	bool whole = login_read(k->body, k->n_body, &said, proof);

	explicit_bzero(proof, sizeof(proof));
	explicit_bzero(&said, sizeof(said));
	if (whole)
		return queue_up(h, k, STAGE_LOGIN);
	client_forget_body(k);
	return reply_send(k->connection, REPLY_BAD_REQUEST);
}

static enum MHD_Result send_order(struct http *h, struct client *k, struct change_request *r)
{
	struct msg_body question = { .type = MSG_CHANGE, .change = r->order };
	bool sent;

	question.change.family = k->who.family;
	memcpy(question.change.from, k->who.b, sizeof(question.change.from));
	memcpy(question.change.shown, k->shown, sizeof(question.change.shown));
	sent = client_session(k, question.change.secret) && ask_box(h, k, STAGE_CHANGE, &question, r->fd);
	explicit_bzero(&question, sizeof(question));
	if (!sent)
		return reply_send(k->connection, REPLY_UNAVAILABLE);
	k->deadline_ns = in_s(h, HTTP_ORDER_S + HTTP_HEAD_S);
	return hold_client(k, CLIENT_ASKED, in_s(h, HTTP_ORDER_S));
}

/* An order needs a person's session: with the token of the API nobody can change anything. */
static enum MHD_Result decide_change(struct http *h, struct client *k)
{
	struct change_request r;
	enum MHD_Result sent;

	if (!client_shows_session(k))
		return reply_send(k->connection, REPLY_LOGIN);
	switch (change_read(k->body, k->n_body, &r)) {
	case CHANGE_READ:
		client_forget_body(k);
		sent = send_order(h, k, &r);
		break;
	case CHANGE_NO_ORDER:
		sent = reply_send(k->connection, REPLY_BAD_REQUEST);
		break;
	case CHANGE_NO_MEMORY:
	default:
		sent = reply_send(k->connection, REPLY_UNAVAILABLE);
		break;
	}
	if (r.fd >= 0)
		close(r.fd);
	return sent;
}

/* Requests by POST of people with a session: the body becomes one question to a role, whose answer
 * is the reply. */
struct posted {
	const char *path;
	enum msg_type type;
	enum client_stage stage;
	size_t family, from, shown, secret; /* where these members lie in struct msg_body */
	order_read *read;		    /* NULL: there is nothing to read */
};

/* NOLINTBEGIN(bugprone-macro-parentheses): the name of a member takes none */
#define OF(member)                                                                                                     \
	offsetof(struct msg_body, member.family), offsetof(struct msg_body, member.from),                              \
		offsetof(struct msg_body, member.shown), offsetof(struct msg_body, member.secret)
/* NOLINTEND(bugprone-macro-parentheses) */
static const struct posted posted[] = {
	{ POST_KEY, MSG_KEY, STAGE_KEY, OF(key), login_read_key },
	{ POST_LOGOUT, MSG_LOGOUT, STAGE_LOGOUT, OF(logout), NULL },
	{ POST_RECORDS, MSG_RECORDS, STAGE_RECORDS, OF(records), records_read },
	{ POST_ACCOUNT, MSG_MANAGE, STAGE_MANAGE, OF(manage), manage_read },
	{ POST_PASSPHRASE, MSG_PASSPHRASE, STAGE_MANAGE, OF(passphrase), passphrase_read },
};

static enum MHD_Result decide_posted(struct http *h, struct client *k, const struct posted *p)
{
	struct msg_body question = { .type = p->type };
	uint8_t *at = (uint8_t *)&question;
	char text[ORDER_TEXT];
	enum MHD_Result r;

	if (!client_shows_session(k)) {
		r = reply_send(k->connection, REPLY_LOGIN);
	} else if ((p->read != NULL && !p->read(k->body, k->n_body, &question, text)) ||
		   !client_session(k, at + p->secret)) {
		r = reply_send(k->connection, REPLY_BAD_REQUEST);
	} else {
		at[p->family] = (uint8_t)k->who.family;
		memcpy(at + p->from, k->who.b, sizeof(k->who.b));
		memcpy(at + p->shown, k->shown, sizeof(k->shown));
		r = ask_and_wait(h, k, p->stage, &question);
	}
	client_forget_body(k);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(&question, sizeof(question));
	return r;
}

static enum MHD_Result decide_post(struct http *h, struct client *k, const char *method)
{
	if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
		return reply_send(k->connection, REPLY_POST_ONLY);
	if (k->target.n_parameters > 0 || k->target.bad_query)
		return reply_send(k->connection, REPLY_BAD_REQUEST);
	if (!client_is_our_page(k))
		return reply_send(k->connection, REPLY_ELSEWHERE);
	if (strcmp(k->target.path, POST_CHANGE) == 0)
		return decide_change(h, k);
	for (size_t i = 0; i < sizeof(posted) / sizeof(posted[0]); i++)
		if (strcmp(k->target.path, posted[i].path) == 0)
			return decide_posted(h, k, &posted[i]);
	return decide_login(h, k);
}

enum MHD_Result http_decide(struct http *h, struct client *k, const char *method)
{
	const struct route *route = route_find(k->target.path);
	bool bare = k->target.n_parameters == 0 && !k->target.bad_query;
	bool me = bare && strcmp(k->target.path, GET_ME) == 0;
	bool challenge = bare && strcmp(k->target.path, GET_CHALLENGE) == 0;
	const struct page *page = bare ? page_find(k->target.path) : NULL;

	h->counts.requests++;
	if (route_is_posted(k->target.path))
		return decide_post(h, k, method);
	if (route == NULL && page == NULL && !me && !challenge)
		return reply_send(k->connection, REPLY_NOT_FOUND);
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
		return reply_send(k->connection, REPLY_NOT_ALLOWED);
	if (challenge)
		return queue_up(h, k, STAGE_CHALLENGE);
	return page != NULL ? reply_page(k->connection, page) : decide_get(h, k, route);
}

/* Anybody can send something in the form of a session: a large body gets room only when the session
 * is known to be valid. */
enum MHD_Result http_ask_whose_body(struct http *h, struct client *k)
{
	struct msg_body who = { .type = MSG_JUDGE };
	uint8_t secret[LOGIN_SECRET];
	enum MHD_Result r = MHD_NO;

	if (client_session(k, secret)) {
		who.judge = credential(k, CREDENTIAL_SESSION, secret);
		/* which right is needed depends on the order in the body */
		who.judge.right = RIGHT_COUNT;
		r = ask_and_wait(h, k, STAGE_BODY, &who);
	}
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(&who, sizeof(who));
	return r;
}

void http_sender_judged(struct client *k, int status)
{
	k->bearer = status == ANSWER_YES;
	k->known |= k->bearer;
	k->reply = status == ANSWER_NO ? REPLY_LOGIN : status == ANSWER_INVALID ? REPLY_FORBIDDEN : REPLY_UNAVAILABLE;
	http_wake(k);
}

static void join_stream(struct http *h, struct client *k, const json_t *who)
{
	const char *name = json_string_value(json_object_get(who, "name")),
		   *bearer = client_header(k, MHD_HTTP_HEADER_AUTHORIZATION);
	bool token = k->stage == STAGE_JUDGE_TOKEN;
	uint8_t secret[LOGIN_SECRET];
	struct msg_judge judge;

	/* The credential is read again, from the same header as the one that was judged. */
	if (name != NULL && (token ? bearer != NULL && login_bearer(bearer, secret) : client_session(k, secret))) {
		judge = credential(k, token ? CREDENTIAL_TOKEN : CREDENTIAL_SESSION, secret);
		begin_stream(h, k, name, &judge);
		explicit_bzero(&judge, sizeof(judge));
		explicit_bzero(secret, sizeof(secret));
	}
}

/* To be called when the client may use the route. True: the box is asked for its data. */
static bool allowed(struct http *h, struct client *k, const json_t *who)
{
	const json_t *rights = json_object_get(who, "rights");
	struct msg_body question;

	k->known = true;
	switch (k->route->kind) {
	case ROUTE_STREAM:
		k->reply = REPLY_UNAVAILABLE;
		join_stream(h, k, who);
		return false;
	case ROUTE_REPORT:
		/* The report needs the rights, because they tell which data this person may
		 * read. */
		k->reply = REPLY_UNAVAILABLE;
		return json_is_array(rights) && begin_report(h, k, rights);
	case ROUTE_ANSWER:
		break;
	}
	k->form = k->route->form;
	k->wake_ns = in_s(h, HTTP_ASK_S);
	return route_question(k, k->route, &question) && ask_box(h, k, STAGE_BOX, &question, -1);
}

/* Handles the answer of accounts: keeps it, and then asks the box what the client wanted, if
 * anything. */
void http_judged(struct http *h, struct client *k, struct msg *m)
{
	json_t *who = m->n_fds == 1 ? reply_object(msg_take_fd(m, 0), REPLY_ACCOUNTS_MOST) : NULL;
	int status = m->body.answer.status;
	uint64_t delay = 0;
	bool asks = false;

	note_reader(k, who);
	if (status == ANSWER_YES)
		asks = allowed(h, k, who);
	else if (status == ANSWER_NO && k->stage == STAGE_JUDGE_TOKEN)
		delay = count_refused(h, k);
	else if (status != ANSWER_CANNOT)
		k->reply = status == ANSWER_NO ? REPLY_LOGIN : REPLY_FORBIDDEN;
	json_decref(who);
	if (asks)
		return;
	if (delay > 0) {
		k->state = CLIENT_HELD;
		k->wake_ns = h->now.ns + delay;
	} else {
		http_wake(k);
	}
}
