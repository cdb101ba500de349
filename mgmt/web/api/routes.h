/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The routes of the API: a path, the question that it puts to the role control, and how its
 * parameters become that question's body. These routes only read. For POST, this header has only
 * the paths; decide.c, login.c and order.c handle them. A new route needs a row in routes.c, and a
 * description in docs/openapi.json.
 */
#ifndef SEKISHO_MGMT_WEB_API_ROUTES_H
#define SEKISHO_MGMT_WEB_API_ROUTES_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"
#include "mgmt/web/api/target.h"

/*
 * When each alarm was first seen, for alarms that the box itself does not date
 * (mgmt/state/alarms.h). An alarm that goes on keeps its time; one that is over is forgotten. Holds
 * no more entries than the last list of alarms.
 */
struct seen {
	/* owned: key -> time; null for alarms of the first look. NULL before the first look */
	json_t *moments;
};

/* What the conversion of an answer may need beside it. */
struct asked {
	const struct target *t; /* the request; NULL for a stream */
	struct seen *seen;	/* the alarms so far */
	uint64_t wall_ns;
};

/* Largest effective rules in bytes. Parsed, they take several times as much memory, and this
 * process is kept small. */
#define RULES_MOST (8u << 20)

/* A conversion of control's JSON, an object, before it is sent. */
struct route_form {
	const char *type; /* as HTTP names it */
	size_t most;	  /* largest answer in bytes; 0 = any */
	/* For JSON: changes the answer in place, or makes another one. Returns a new reference;
	 * NULL when this is impossible. */
	json_t *(*json)(const struct asked *a, json_t *answer);
	/* For another type: the text, which the caller frees. */
	char *(*text)(const struct asked *a, json_t *answer);
};

/* Fills the question's body. False when a parameter is unknown or out of range. */
typedef bool route_ask(const struct target *t, struct msg_body *question);

struct route {
	const char *path;
	enum msg_type question;
	route_ask *ask;
	enum right right;	       /* the right that the client needs */
	const struct route_form *form; /* NULL: the JSON is sent unchanged */
	/* A stream: mgmt/web/live.h. A report needs several questions: mgmt/web/report.h. */
	enum { ROUTE_ANSWER, ROUTE_STREAM, ROUTE_REPORT } kind;
};

/* Paths that are posted to; only these requests have a body. */
#define POST_LOGIN "/api/v1/login"
#define POST_LOGOUT "/api/v1/logout"
#define POST_CHANGE "/api/v1/change"
#define POST_RECORDS "/api/v1/records"
#define POST_KEY "/api/v1/key"
#define POST_ACCOUNT "/api/v1/account"	     /* orders about somebody else's account */
#define POST_PASSPHRASE "/api/v1/passphrase" /* the order to change one's own passphrase */
#define GET_ME "/api/v1/me"		     /* for every logged-in client, whatever his rights */
#define GET_ASK "/api/v1/ask"		     /* its parameters are text of people, see target.h */
#define GET_CHALLENGE "/api/v1/challenge"

bool route_is_posted(const char *path);
/* All routes, for the test that compares them with the API's document; NULL after the last. */
const struct route *route_at(size_t i);
const char *route_posted_at(size_t i);
/* The route with exactly this path, or NULL. */
const struct route *route_find(const char *path);

/* Converts the answer, `n` bytes of JSON. The caller frees the text; *ret_n is its length. NULL
 * when the bytes are no such answer, or memory is out; `seen` is then unchanged. */
char *route_text(const struct route_form *form, const struct asked *a, const char *json, size_t n, size_t *ret_n);

/* Questions and conversions that have a file of their own: records.c, rules.c, status.c. */
route_ask ask_ask, ask_events, ask_flows, ask_holds, ask_night, ask_picture, ask_reviews, ask_rules, ask_tally;
extern const struct route_form form_flows, form_holds, form_metrics, form_picture, form_reviews, form_rules, form_state,
	form_tally, form_why;

#endif
