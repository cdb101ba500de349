/* SPDX-License-Identifier: Apache-2.0 */
/* Root's list of leaked passphrases, and phrases that are in it. */
#ifndef SEKISHO_ACCOUNTS_DESK_LEAKED_H
#define SEKISHO_ACCOUNTS_DESK_LEAKED_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/accounts/desk.h"
#include "appliance/base/json.h"

struct desk_order;
struct job;
struct msg_user;

/* Root loads a list of leaked passphrases from a sealed memfd (-1 = none), which stays the
 * caller's. desk_leaked_step reads it. */
void desk_leaked_load(struct desk *d, uint32_t id, const struct msg_user *m, int memfd);
/* Reads the next piece of the list. To be called while desk_leaked_waits. */
bool desk_leaked_waits(const struct desk *d);
void desk_leaked_step(struct desk *d, struct moment now);

/* whether a typed phrase is in the list. */
bool desk_leaked(struct desk *d, const char *phrase);
/* Judges a new passphrase: by passphrase_judge, then by the list of leaked ones. False: it was
 * refused, and the answer says why. */
bool desk_phrase_good(struct desk *d, uint32_t id, const char *phrase, const char *name);
/* The typed passphrase is right, but leaked: from now on the session can only choose a new one.
 * Answers and records this. */
void desk_leaked_typed(struct desk *d, struct job *j, struct moment now);
json_t *desk_leaked_json(const struct desk *d);
/* Orders of root. */
void desk_leaked_show(struct desk *d, uint32_t id);
void desk_leaked_remove(const struct desk_order *o);

#endif
