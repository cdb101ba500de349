/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/live.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/wire/duty.h"
#include "mgmt/web/api/nameless.h"
#include "mgmt/web/api/routes.h"
#include "mgmt/web/report.h"

#define MS_NS 1000000u
#define S_NS 1000000000u
#define STATE_MOST (1u << 20)
#define RECORDS_MOST (4u << 20)
#define PART 4096u /* most bytes that libmicrohttpd takes at a time */

struct stream {
	struct MHD_Connection *connection; /* NULL = free place */
	int fd;
	bool own, flow;
	struct msg_judge who;
	/* id of the question about this stream: to accounts, or to the journal for the stream's
	 * records */
	uint32_t asked;
	uint32_t rights; /* its rights now, while its records are requested */
	char name[LOGIN_NAME + 8];
	bool placed;	/* `after` is known */
	uint64_t after; /* number of the last record that it has */
	char *text;	/* owned: what to send; NULL = nothing */
	bool word;	/* `text` is only a progress report: see gives_way */
	size_t n, sent;
	uint64_t slow_ns; /* monotonic: by when the client must have taken `text` */
	bool waits;	  /* suspended until there is something */
	bool ends;	  /* the stream ends after `text` */
};

enum step { STEP_REST, STEP_STATE, STEP_FLOW, STEP_JUDGE, STEP_RECORDS };

struct live {
	int control_fd;
	/* owned; an epoll set of all streams' sockets, which libmicrohttpd does not watch while
	 * they wait */
	int gone_fd;
	uint32_t *last_id;
	enum step step;
	uint32_t id; /* id of the question under way, 0 = none */
	uint64_t asked_ns, deadline_ns, begun_ns, next_ns, flow_ns;
	/* Results of this turn. */
	char *state;	/* NULL: the box did not say */
	char *nameless; /* the same for displays, made when the first one needs it */
	bool has_newest;
	uint64_t newest;
	bool mute;	 /* the journal has not answered in this turn */
	bool recorded;	 /* a stream got records in this turn */
	json_t *records; /* records for the present stream; NULL: none */
	uint64_t from, to;
	char *flow;
	struct seen seen;
	size_t at; /* index of the present stream */
	struct stream all[LIVE_STREAMS];
};

struct live *live_open(int control_fd, uint32_t *last_id)
{
	struct live *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	v->control_fd = control_fd;
	v->last_id = last_id;
	v->gone_fd = epoll_create1(EPOLL_CLOEXEC);
	if (v->gone_fd >= 0)
		return v;
	free(v);
	return NULL;
}

static void forget_texts(struct live *v)
{
	free(v->state);
	free(v->nameless);
	free(v->flow);
	v->state = v->nameless = v->flow = NULL;
	v->has_newest = v->mute = v->recorded = false;
}

void live_close(struct live *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < LIVE_STREAMS; i++)
		live_leave(&v->all[i]);
	forget_texts(v);
	json_decref(v->records);
	json_decref(v->seen.moments);
	close(v->gone_fd);
	free(v);
}

static void wake(struct stream *s)
{
	if (s->waits)
		MHD_resume_connection(s->connection);
	s->waits = false;
}

/* ---- clients that hung up -------------------------------------------------------------------- */

/* Identifies a stream by its place and its socket, because another stream may have the place when
 * the event comes. */
static uint64_t mark_of(const struct live *v, const struct stream *s)
{
	return (uint64_t)(s - v->all) << 32 | (uint32_t)s->fd;
}

/* Watches for the end of the client's connection. If this fails, the end is only seen at the next
 * write. */
static void watch(struct live *v, const struct stream *s)
{
	struct epoll_event e = { .events = EPOLLRDHUP | EPOLLONESHOT, .data.u64 = mark_of(v, s) };

	if (epoll_ctl(v->gone_fd, EPOLL_CTL_ADD, s->fd, &e) < 0 && errno == EEXIST)
		(void)epoll_ctl(v->gone_fd, EPOLL_CTL_MOD, s->fd, &e);
}

int live_gone_fd(const struct live *v)
{
	return v->gone_fd;
}

void live_gone(struct live *v)
{
	struct epoll_event list[LIVE_STREAMS];
	int n = epoll_wait(v->gone_fd, list, LIVE_STREAMS, 0);

	for (int i = 0; i < n; i++) {
		uint64_t place = list[i].data.u64 >> 32;
		struct stream *s = place < LIVE_STREAMS ? &v->all[place] : NULL;

		if (s == NULL || s->connection == NULL || mark_of(v, s) != list[i].data.u64)
			continue;
		shutdown(s->fd, SHUT_RDWR);
		s->ends = true;
		wake(s);
	}
}

/* ---- streams --------------------------------------------------------------------------------- */

struct stream *live_join(struct live *v, struct MHD_Connection *c, int fd, const struct live_wish *w, uint64_t now_ns)
{
	struct stream *s = NULL;
	unsigned own = 0, all = 0;

	for (struct stream *o = v->all; o < v->all + LIVE_STREAMS; o++) {
		if (o->connection == NULL) {
			s = o;
			continue;
		}
		all++;
		own += o->own == w->own && strcmp(o->name, w->name) == 0;
	}
	if (s == NULL || own >= LIVE_EACH)
		return NULL;
	*s = (struct stream){ .connection = c,
			      .fd = fd,
			      .own = w->own,
			      .flow = w->flow,
			      .who = w->who,
			      .placed = w->resumes,
			      .after = w->after };
	s->who.right = RIGHT_COUNT;
	s->who.quiet = 1;
	snprintf(s->name, sizeof(s->name), "%s", w->name);
	watch(v, s);
	/* Without another stream the known state is old, so the box is asked at once. Otherwise the
	 * new stream gets its first event soon, independent of the others. */
	v->next_ns = all == 0 || v->begun_ns + (uint64_t)LIVE_SOON_MS * MS_NS < now_ns
			     ? now_ns
			     : v->begun_ns + (uint64_t)LIVE_SOON_MS * MS_NS;
	return s;
}

void live_leave(struct stream *s)
{
	if (s == NULL)
		return;
	free(s->text);
	explicit_bzero(s, sizeof(*s));
}

ssize_t live_read(void *cls, uint64_t at, char *buf, size_t most)
{
	struct stream *s = cls;
	size_t n = s->n - s->sent;

	if (s->text == NULL) {
		if (s->ends)
			return MHD_CONTENT_READER_END_OF_STREAM;
		s->waits = true;
		MHD_suspend_connection(s->connection);
		return 0;
	}
	n = n < most ? n : most;
	n = n < PART ? n : PART;
	memcpy(buf, s->text + s->sent, n);
	s->sent += n;
	if (s->sent == s->n) {
		free(s->text);
		s->text = NULL;
	}
	return (ssize_t)n;
}

/* Takes over `text`. */
static void stream_say(struct stream *s, char *text, size_t n, uint64_t now_ns)
{
	s->text = text;
	s->word = false;
	s->n = n;
	s->sent = 0;
	s->slow_ns = now_ns + (uint64_t)LIVE_SLOW_S * S_NS;
	wake(s);
}

void live_end(struct live *v)
{
	for (size_t i = 0; i < LIVE_STREAMS; i++)
		if (v->all[i].connection != NULL) {
			v->all[i].ends = true;
			wake(&v->all[i]);
		}
}

/* ---- contents of a stream -------------------------------------------------------------------- */

/* Adds the records that the stream may see and does not have, as far as they were requested. */
static void put_records(const struct live *v, struct stream *s, bool allowed, FILE *to)
{
	if (!v->has_newest)
		return;
	/*
	 * Skips to the newest record in three cases. The stream begins here. Its owner may see no
	 * records now: those are not sent later either. Or the stream's last record is of another
	 * box.
	 */
	if (!s->placed || !allowed || s->after > v->newest) {
		s->after = v->newest;
		s->placed = true;
	} else if (v->newest - s->after > LIVE_BEHIND) {
		fprintf(to, "event: gap\ndata: {\"from\":%" PRIu64 ",\"to\":%" PRIu64 "}\n\n", s->after + 1, v->newest);
		s->after = v->newest;
	} else if (v->records != NULL && s->after >= v->from && s->after < v->to) {
		live_put_records(to, v->records, s->after);
		s->after = v->to;
	}
}

static bool has_right(uint32_t rights, enum right r)
{
	return (rights >> r & 1u) != 0;
}

/* Whether the unsent text is only a progress report, and may be replaced by an event that is
 * due. */
static bool gives_way(const struct stream *s)
{
	return s->text == NULL || (s->word && s->sent == 0);
}

static void give_way(struct stream *s)
{
	if (s->text != NULL && gives_way(s)) {
		free(s->text);
		s->text = NULL;
	}
}

/* The state as the owner of these rights may see it; NULL: there is none. */
static const char *state_for(struct live *v, uint32_t rights)
{
	if (has_right(rights, RIGHT_READ_STATE) || v->state == NULL)
		return v->state;
	if (v->nameless == NULL)
		v->nameless = state_nameless(v->state);
	return v->nameless;
}

static void stream_tell(struct live *v, struct stream *s, uint32_t rights, uint64_t now_ns)
{
	const char *state = state_for(v, rights);
	char *text = NULL;
	size_t n = 0;
	FILE *to;

	give_way(s);
	if (s->text != NULL || s->ends) /* the client has not yet taken the last text */
		return;
	to = open_memstream(&text, &n);
	if (to == NULL)
		return;
	put_records(v, s, has_right(rights, RIGHT_READ_EVENTS), to);
	if (state != NULL) {
		if (s->placed)
			fprintf(to, "id: %" PRIu64 "\n", s->after);
		fprintf(to, "event: state\ndata: %s\n\n", state);
	} else {
		fputs("event: silent\ndata: {}\n\n", to);
	}
	if (v->flow != NULL && s->flow && has_right(rights, RIGHT_READ_RULES))
		fprintf(to, "event: flow\ndata: %s\n\n", v->flow);
	if (fclose(to) == 0)
		stream_say(s, text, n, now_ns);
	else
		free(text);
}

/* Ends a stream whose session is over, or may no longer see the state. */
static void tell_end(struct stream *s, uint64_t now_ns)
{
	static const char words[] = "event: end\ndata: {}\n\n";
	char *text;

	give_way(s);
	text = s->text == NULL ? strdup(words) : NULL;
	s->ends = true;
	if (text != NULL)
		stream_say(s, text, sizeof(words) - 1, now_ns);
	else
		wake(s);
}

/* Sends only a sign of life, because the rights of the session are unknown at present. */
static void tell_nothing(struct stream *s, uint64_t now_ns)
{
	static const char words[] = ":\n\n";
	char *text = s->text == NULL && !s->ends ? strdup(words) : NULL;

	if (text != NULL)
		stream_say(s, text, sizeof(words) - 1, now_ns);
}

void live_progress(struct live *v, enum credential what, const uint8_t secret[32], uint32_t ask,
		   const struct msg_progress *p, uint64_t now_ns)
{
	for (struct stream *s = v->all; s < v->all + LIVE_STREAMS; s++) {
		char *text;
		size_t n;

		if (s->connection == NULL || s->own || s->ends || s->text != NULL || s->who.what != (uint8_t)what ||
		    memcmp(s->who.secret, secret, sizeof(s->who.secret)) != 0)
			continue;
		text = live_progress_text(ask, p, &n);
		if (text != NULL) {
			stream_say(s, text, n, now_ns);
			s->word = true;
		}
	}
}

/* ---- a turn ---------------------------------------------------------------------------------- */

static bool ask_role(struct live *v, enum step step, const struct msg_body *question, uint64_t now_ns)
{
	uint32_t id = ++*v->last_id;

	v->step = step;
	v->id = msg_send(v->control_fd, id, question, NULL, 0) < 0 ? 0 : id;
	v->asked_ns = now_ns;
	v->deadline_ns = now_ns + (uint64_t)LIVE_ASK_S * S_NS;
	return v->id != 0;
}

/* Whether a stream that got something in this turn has more to come. A stream that is still sending
 * an earlier text does not count. */
static bool behind(const struct live *v)
{
	uint64_t told = v->begun_ns + (uint64_t)LIVE_SLOW_S * S_NS;

	for (const struct stream *s = v->all; s < v->all + LIVE_STREAMS; s++) {
		if (s->connection != NULL && !s->ends && s->slow_ns >= told && s->placed && v->has_newest &&
		    s->after < v->newest && v->recorded)
			return true;
	}
	return false;
}

static bool somebody(const struct live *v)
{
	for (size_t i = 0; i < LIVE_STREAMS; i++)
		if (v->all[i].connection != NULL)
			return true;
	return false;
}

static void turn_rest(struct live *v)
{
	uint64_t ms = behind(v) ? LIVE_SOON_MS : somebody(v) ? LIVE_TURN_MS : LIVE_IDLE_MS;

	v->next_ns = v->begun_ns + ms * MS_NS;
	v->step = STEP_REST;
	v->id = 0;
	forget_texts(v);
}

/* Whether there are records for the stream, and not too many. */
static bool wants_records(const struct live *v, const struct stream *s, uint32_t rights)
{
	return has_right(rights, RIGHT_READ_EVENTS) && v->has_newest && !v->mute && s->placed && gives_way(s) &&
	       v->newest > s->after && v->newest - s->after <= LIVE_BEHIND;
}

/* Asks the journal in the name of the stream's owner, because readers are recorded. False:
 * impossible. */
static bool ask_records(struct live *v, struct stream *s, uint32_t rights, uint64_t now_ns)
{
	struct msg_body question = { .type = MSG_EVENTS,
				     .events = { .most = LIVE_RECORDS, .after = s->after, .family = s->who.family } };

	memcpy(question.events.from, s->who.from, sizeof(question.events.from));
	snprintf((char *)question.events.by, sizeof(question.events.by), "%s%s",
		 s->own				   ? "the box's token"
		 : s->who.what == CREDENTIAL_TOKEN ? "token "
						   : "",
		 s->name);
	if (!ask_role(v, STEP_RECORDS, &question, now_ns))
		return false;
	v->from = s->after;
	s->asked = v->id;
	s->rights = rights;
	return true;
}

/*
 * Goes through the streams from `at` on, until a question has to be asked for one. A stream of the
 * box's own token needs no check: its records are requested if it wants any (wants_records),
 * otherwise it gets its events at once. For any other stream accounts is asked. After the last one
 * the turn is over.
 */
static void judge_next(struct live *v, uint64_t now_ns)
{
	struct msg_body question = { .type = MSG_JUDGE };

	for (; v->at < LIVE_STREAMS; v->at++) {
		struct stream *s = &v->all[v->at];

		if (s->connection == NULL || s->ends)
			continue;
		if (s->own) {
			if (wants_records(v, s, RIGHTS_ALL) && ask_records(v, s, RIGHTS_ALL, now_ns))
				return;
			stream_tell(v, s, RIGHTS_ALL, now_ns);
			continue;
		}
		question.judge = s->who;
		if (ask_role(v, STEP_JUDGE, &question, now_ns)) {
			s->asked = v->id;
			explicit_bzero(&question, sizeof(question));
			return;
		}
		tell_nothing(s, now_ns);
	}
	explicit_bzero(&question, sizeof(question));
	turn_rest(v);
}

static void judge_all(struct live *v, uint64_t now_ns)
{
	v->at = 0;
	judge_next(v, now_ns);
}

static void ask_flow(struct live *v, uint64_t now_ns)
{
	bool wanted = false;

	for (size_t i = 0; i < LIVE_STREAMS; i++)
		wanted |= v->all[i].connection != NULL && v->all[i].flow;
	if (!wanted || v->flow_ns > now_ns ||
	    !ask_role(v, STEP_FLOW, &(struct msg_body){ .type = MSG_EFFECTIVE }, now_ns))
		judge_all(v, now_ns);
}

static void turn_begin(struct live *v, uint64_t now_ns)
{
	v->begun_ns = now_ns;
	if (!ask_role(v, STEP_STATE, &(struct msg_body){ .type = MSG_STATUS }, now_ns))
		judge_all(v, now_ns); /* the pages hear that there is no answer */
}

/* ---- answers --------------------------------------------------------------------------------- */

static void take_records(struct live *v, const char *text, size_t n)
{
	size_t n_said = 0;
	char *said = route_text(&form_why, &(struct asked){ 0 }, text, n, &n_said);
	json_t *j = said != NULL ? json_loadb(said, n_said, 0, NULL) : NULL;
	json_int_t next = json_integer_value(json_object_get(j, "next"));

	free(said);
	json_decref(v->records);
	v->records = json_incref(json_object_get(j, "events"));
	v->recorded = true;
	v->to = next > 0 ? (uint64_t)next : v->from;
	json_decref(j);
}

/* Reading the counters of a large policy takes long, so it is done less often. */
static void take_flow(struct live *v, const char *text, size_t n, uint64_t now_ns)
{
	uint64_t took = now_ns - v->asked_ns, pause = (uint64_t)LIVE_FLOW_MS * MS_NS;

	v->flow = live_flow(text, n);
	v->flow_ns = now_ns + (took * 20 > pause ? took * 20 : pause);
}

static uint32_t read_rights(const char *text, size_t n)
{
	json_t *j = text != NULL ? json_loadb(text, n, 0, NULL) : NULL;
	uint32_t rights = web_report_rights(json_object_get(j, "rights"));

	json_decref(j);
	return rights;
}

static void stream_judged(struct live *v, uint32_t id, int status, const char *text, size_t n, uint64_t now_ns)
{
	struct stream *s = &v->all[v->at];
	uint32_t rights = read_rights(text, n);
	bool stays = status == ANSWER_YES && (has_right(rights, RIGHT_READ_STATE) || has_right(rights, RIGHT_WATCH));

	/* The stream that was asked about may have left, and another may have its place. */
	if (s->connection != NULL && s->asked == id) {
		if (stays && wants_records(v, s, rights) && ask_records(v, s, rights, now_ns))
			return;
		if (status == ANSWER_CANNOT)
			tell_nothing(s, now_ns);
		else if (stays)
			stream_tell(v, s, rights, now_ns);
		else
			tell_end(s, now_ns);
	}
	v->at++;
	judge_next(v, now_ns);
}

/* The records for a stream have come, or the journal is silent (`text` NULL). Then the stream gets
 * the rest, and nobody waits for the journal again in this turn. */
static void stream_recorded(struct live *v, uint32_t id, const char *text, size_t n, uint64_t now_ns)
{
	struct stream *s = &v->all[v->at++];

	if (text != NULL)
		take_records(v, text, n);
	v->mute = text == NULL;
	if (s->connection != NULL && s->asked == id)
		stream_tell(v, s, s->rights, now_ns);
	json_decref(v->records);
	v->records = NULL;
	judge_next(v, now_ns);
}

/* `text` NULL: there was no answer. */
static void turn_answered(struct live *v, int status, const char *text, size_t n, uint64_t now_ns)
{
	uint32_t id = v->id;
	size_t n_state;

	v->id = 0;
	switch (v->step) {
	case STEP_STATE:
		if (text != NULL && status <= ANSWER_NO) {
			v->state =
				route_text(&form_state, &(struct asked){ .seen = &v->seen, .wall_ns = clock_wall_ns() },
					   text, n, &n_state);
			v->has_newest = live_newest(text, n, &v->newest);
		}
		ask_flow(v, now_ns);
		break;
	case STEP_RECORDS:
		stream_recorded(v, id, status == ANSWER_YES ? text : NULL, n, now_ns);
		break;
	case STEP_FLOW:
		if (text != NULL && status == ANSWER_YES)
			take_flow(v, text, n, now_ns);
		else
			v->flow_ns = now_ns + (uint64_t)LIVE_FLOW_MS * MS_NS;
		judge_all(v, now_ns);
		break;
	case STEP_JUDGE:
		stream_judged(v, id, status, text, n, now_ns);
		break;
	case STEP_REST:
		break;
	}
}

bool live_answer(struct live *v, struct msg *m, uint64_t now_ns)
{
	static const size_t most[] = { [STEP_STATE] = STATE_MOST,
				       [STEP_RECORDS] = RECORDS_MOST,
				       [STEP_FLOW] = RULES_MOST,
				       [STEP_JUDGE] = STATE_MOST };
	uint8_t *text = NULL;
	struct err e;
	size_t n = 0;
	int fd;

	if (v->id == 0 || m->id != v->id)
		return false;
	fd = m->n_fds == 1 ? msg_take_fd(m, 0) : -1;
	if (fd >= 0 && memfd_read(fd, most[v->step], &text, &n, &e) < 0)
		text = NULL;
	if (fd >= 0)
		close(fd);
	turn_answered(v, m->body.answer.status, (const char *)text, n, now_ns);
	free(text);
	return true;
}

/* ---- called by the loop ---------------------------------------------------------------------- */

void live_run(struct live *v, uint64_t now_ns, bool room)
{
	for (struct stream *s = v->all; s < v->all + LIVE_STREAMS; s++) {
		if (s->connection != NULL && s->text != NULL && s->slow_ns <= now_ns) {
			s->slow_ns = UINT64_MAX;
			shutdown(s->fd, SHUT_RDWR);
		}
	}
	if (v->step != STEP_REST && v->deadline_ns <= now_ns)
		turn_answered(v, ANSWER_CANNOT, NULL, 0, now_ns);
	if (v->step != STEP_REST || v->next_ns > now_ns)
		return;
	if (room)
		turn_begin(v, now_ns);
	else
		v->next_ns = now_ns + (uint64_t)LIVE_SOON_MS * MS_NS;
}

uint64_t live_next_ns(const struct live *v)
{
	uint64_t next = v->step != STEP_REST ? v->deadline_ns : v->next_ns;

	for (size_t i = 0; i < LIVE_STREAMS; i++)
		if (v->all[i].connection != NULL && v->all[i].text != NULL && v->all[i].slow_ns < next)
			next = v->all[i].slow_ns;
	return next;
}

struct seen *live_seen(struct live *v)
{
	return &v->seen;
}

bool live_asks(const struct live *v)
{
	return v->id != 0;
}
