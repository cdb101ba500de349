/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guesses what an invalid value was meant to be, and writes it as the policy language does. Gives
 * policy/read/meant.h readers (struct meant_reader) that accept what the language accepts. Each
 * function returns what to write, in quotes and in the arena, or NULL. *ret_several: one text had
 * several values, and a list of them is returned.
 */
#ifndef SEKISHO_POLICY_CHECK_MEANT_H
#define SEKISHO_POLICY_CHECK_MEANT_H

#include "appliance/wire/notation.h"
#include "policy/check/check.h"
#include "policy/read/meant.h"

/* Of an address with bits behind its mask ("10.1.2.3/24"), the network is meant if `network` is
 * set, and the host if it is not. */
const char *meant_address(struct arena *a, bool network, const char *text, bool *ret_several);
/* A port on a transport that protocol `p` can use; with PROTO_NONE, on any transport. */
const char *meant_port(struct arena *a, enum protocol p, const char *text, bool *ret_several);
const char *meant_span(struct arena *a, const char *text);
/* A number of the list `key`. `v`: the vocabulary of the row's service; NULL: the list is not in a
 * row. */
const char *meant_number(struct arena *a, const struct vocabulary *v, const char *key, const struct notation *n,
			 const char *text, bool *ret_several);
/* For a text that `meant_number` could not read: the address in a controller that it is. *ret_key:
 * the key of the list in which such an address belongs. */
const char *meant_elsewhere(struct arena *a, const struct vocabulary *v, const char *text, const char **ret_key);
const char *meant_function(struct arena *a, const struct vocabulary *v, const char *text, bool *ret_several);
const char *meant_command(struct arena *a, const char *text, bool *ret_several);
/* `whole`: a point in time; otherwise a day. NULL also for days that do not exist. */
const char *meant_date(struct arena *a, const char *text, bool whole);
/* A value of the wrong kind for the key: the same value in the kind of that key. */
const char *meant_for_key(struct arena *a, const char *key, const char *text, bool *ret_several);

#endif
