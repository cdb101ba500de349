/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the desk share. */
#ifndef SEKISHO_ACCOUNTS_DESK_GROUND_H
#define SEKISHO_ACCOUNTS_DESK_GROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/accounts/account.h"
#include "appliance/accounts/desk.h"
#include "appliance/accounts/secret.h"
#include "appliance/base/addr.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/wire/event_codes.h"
#include "appliance/wire/said.h"

struct job;
struct session;

#define DUTIES_TEXT 256

/* An order of root, or of an account manager over the web. */
struct desk_order {
	struct desk *d;
	uint32_t id;
	enum user_order order;
	const char *by;
	struct moment now;
	json_t *said;		 /* the texts of the order, as an object */
	struct job *job;	 /* the job of an order over the web; NULL = an order of root */
	const struct addr *from; /* address of the person who orders */
};

/* Answers an order over the web; "done" says whether it was carried out. */
void desk_answer(struct desk *d, uint32_t id, enum answer_status status, json_t *j);
/* Answers with an error, as a sentence in every language. */
void desk_refuse(struct desk *d, uint32_t id, enum answer_status status, enum message m, ...);
/* What an event of the register says besides its code; NULL or 0 = nothing. `count`: 0 means 1. */
struct account_note {
	const struct addr *from;
	const char *object, *before, *after, *by;
	uint64_t count;
};
void desk_event(struct desk *d, enum account_event what, struct account_note n);
bool desk_save(struct desk *d);
/* Saves the change; if that fails, restores the earlier state and answers with the error. */
bool desk_kept(struct desk *d, uint32_t id, struct account *a, const struct account *before);
/* What is recorded of a change of an account, and whether its sessions end. */
struct account_change {
	enum account_event what;
	const char *before, *after; /* NULL = none */
	bool shuts_out;
};
/* Saves the change of an account, records it and answers with the account. If it cannot be saved,
 * the account becomes `before` again, and the answer says so. Wipes `before`. */
void desk_changed(const struct desk_order *o, struct account *a, struct account *before, struct account_change c);
/* A text of an order; "" when it has none. */
const char *desk_said(const json_t *said, const char *key);
/* Copies a text; cuts what is too long. */
void desk_put(char *out, size_t size, const char *text);
struct addr desk_from(uint8_t family, const uint8_t from[16]);
/* Copies a text that ends at its first NUL, or with its field. */
void desk_copy_field(char *out, const uint8_t *field, size_t n);
/* The session of this secret. `shown`: certificate of the connection. If the session is used from
 * another address or without its certificate, it ends. */
struct session *desk_session_at(struct desk *d, const uint8_t secret[SECRET_BYTES], const struct addr *from,
				const uint8_t shown[DIGEST_BYTES], struct moment now);
/* The account of the session with this secret. NULL: there is no such session, or its account is
 * disabled; the asker was told so. */
struct account *desk_person(struct desk *d, uint32_t id, const uint8_t secret[SECRET_BYTES], const struct addr *from,
			    const uint8_t shown[DIGEST_BYTES], struct moment now, struct session **ret);
bool desk_same_hash(const char *a, const char *b);
void desk_nobody(struct desk *d, uint32_t id);
void desk_login_refused(struct desk *d, struct job *j);
/* All errors of a login get this one answer. */
void desk_say_refused(struct desk *d, uint32_t id);
/* answers what an account with these duties may do, or refuses if it lacks `right`.
 * RIGHT_COUNT: no right is needed. Takes the reference. */
void desk_may(struct desk *d, uint32_t id, uint8_t right, const struct addr *from, const char *name, uint32_t duties,
	      json_t *who);
void desk_answer_account(const struct desk_order *o, const struct account *a);
/* "viewer, ot_author" */
const char *desk_duties_text(uint32_t duties, char out[DUTIES_TEXT]);
/* Reads a list such as "viewer,ot_author". False for unknown words, roles that are not in `may`, or
 * an empty list. */
bool desk_read_duties(const char *list, uint32_t may, uint32_t *ret);

#endif
