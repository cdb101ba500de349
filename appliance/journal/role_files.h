/* SPDX-License-Identifier: Apache-2.0 */
/* The files, for somebody who takes a copy or asks whether they are whole. */
#ifndef SEKISHO_JOURNAL_ROLE_FILES_H
#define SEKISHO_JOURNAL_ROLE_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/journal/checkpoint.h"
#include "appliance/journal/verify.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"

struct journal_check;
struct journal_role;
struct msg_copy;

/* A check whether the records are whole (role_files.c). */
struct role_check {
	struct journal_check *check; /* owned; NULL = none */
	struct checkpoint_keys keys;
	struct journal_trust trust; /* the keys that the check uses */
	bool signs;		    /* there are keys */
	uint64_t asked_at, done_at; /* monotonic ns; done_at 0 = the check goes on */
};

/* Answers MSG_COPY, and records the reading. False: the answer could not be sent. */
bool role_copy(struct journal_role *j, uint32_t id, const struct msg_copy *asked);

/* Checks some more records. Returns {"more":true,"records"} while there are more, and at the end
 * what `journal verify` says; a new reference. */
json_t *role_check_json(struct journal_role *j, uint64_t now, enum answer_status *ret_status);
uint64_t role_check_due(const struct journal_role *j);
/* Ends a check that nobody asks about. */
void role_check_left(struct journal_role *j, uint64_t now);

#endif
