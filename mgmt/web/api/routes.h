/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The routes of the API: a path, the question that it puts to the supervisor, and how its
 * parameters become that question's body. These routes only read. For POST, this header has only
 * the paths; http.c, login.c, change.c and records.c handle them. A new route needs a question in
 * routes.c, or a file of its own if it is longer, and a description in docs/openapi.json.
 */
#ifndef SEKISHO_MGMT_WEB_API_ROUTES_H
#define SEKISHO_MGMT_WEB_API_ROUTES_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/msg.h"
#include "mgmt/state/seen.h"
#include "mgmt/web/api/target.h"

/* What is made of the supervisor's JSON before it goes out. */
struct route_form {
	const char *type; /* as HTTP names it */
	/* Of what was asked and its answer. The text is the caller's to free(), *ret_n its length;
	 * NULL when it cannot be made. */
	char *(*text)(const struct target *t, const char *json, size_t n, size_t *ret_n);
	/* Instead of it where what was seen before counts. */
	char *(*dated)(struct seen *seen, uint64_t wall_ns, const char *json, size_t n, size_t *ret_n);
};

struct route {
	const char *path;
	enum msg_type question;
	/* Fills the question's body. False when a parameter is unknown or out of range. */
	bool (*ask)(const struct target *t, struct msg_body *question);
	const struct route_form *form; /* NULL: the JSON as it is */
	enum right right;	       /* that who asks must have */
};

/* What is posted to; everything else has no body. */
#define POST_LOGIN "/api/v1/login"
#define POST_LOGOUT "/api/v1/logout"
#define POST_CHANGE "/api/v1/change"
#define POST_RECORDS "/api/v1/records"
#define POST_KEY "/api/v1/key"
#define POST_ACCOUNT "/api/v1/account"	     /* of somebody else */
#define POST_PASSPHRASE "/api/v1/passphrase" /* one's own */
#define GET_ME "/api/v1/me"		     /* read, but of whoever asks, whatever he may */
#define GET_ASK "/api/v1/ask"		     /* its words are people's: target.h */
#define GET_CHALLENGE "/api/v1/challenge"

bool route_is_posted(const char *path);
/* All of them, for whoever holds the list against the API's document; NULL behind the last. */
const struct route *route_at(size_t i);
const char *route_posted_at(size_t i);
/* NULL when no route has exactly this path. */
const struct route *route_find(const char *path);

extern const struct route route_live; /* its answer goes on: mgmt/web/live.h */
extern const struct route route_state;
extern const struct route route_effective;
extern const struct route route_rules;
extern const struct route route_events;
extern const struct route route_why;
extern const struct route route_nearest;
extern const struct route route_picture;
extern const struct route route_metrics;
extern const struct route route_holds;
extern const struct route route_reviews;
extern const struct route route_tally;
extern const struct route route_flows;
extern const struct route route_ask;
/* its answer takes several questions: mgmt/web/report.h */
extern const struct route route_report;

/* No parameter, and nothing else to say. */
static inline bool ask_plain(const struct target *t, struct msg_body *question)
{
	(void)question;
	return t->n_parameters == 0;
}
/* What may be asked of events, for every route that is about them. */
bool events_ask(const struct target *t, struct msg_body *question);
/* `at`, of which moment the rules are asked for. */
bool effective_at(const struct target *t, struct msg_body *question);

/*
 * The status as Prometheus reads it: text exposition format 0.0.4, a family of samples for each row
 * of metrics.def. It says nothing that the status does not say; what is missing there, or null, has
 * no sample. Pure.
 */

/* The type of the text, as HTTP names it. */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*
 * `json` holds `n` bytes of the status. The text is the caller's to free(), *ret_n its length. NULL
 * when the bytes are no status or memory is short.
 */
char *metrics_text(const char *json, size_t n, size_t *ret_n);

/*
 * The status with what it means, in both languages: the one sentence, what is wrong, what was
 * refused. What a page shows in words comes from here, so that it says what `sekisho status` says.
 * Pure but for `seen`.
 */

/*
 * `json` holds `n` bytes of the status, which is that of `wall_ns`; the form is docs/json.md's. The
 * text is the caller's to free(), *ret_n its length. NULL when the bytes are no status or memory is
 * short; `seen` has learned nothing then.
 */
char *state_text(struct seen *seen, uint64_t wall_ns, const char *json, size_t n, size_t *ret_n);

#endif
