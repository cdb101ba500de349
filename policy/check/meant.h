/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guesses what an invalid value was meant to be, in the form of the language: policy/read/meant.h
 * with the language's own readers. Each function returns what to write, in quotes and in the arena,
 * or NULL. *ret_several: one text had several values, and a list of them is returned.
 */
#ifndef SEKISHO_POLICY_CHECK_MEANT_H
#define SEKISHO_POLICY_CHECK_MEANT_H

#include "appliance/wire/notation.h"
#include "policy/check/check.h"
#include "policy/read/meant.h"

/* `network`: an address with a mask means the network; otherwise the host. */
const char *meant_address(struct arena *a, bool network, const char *text, bool *ret_several);
/* A port of a transport of the protocol; PROTO_NONE: of any transport. */
const char *meant_port(struct arena *a, enum protocol p, const char *text, bool *ret_several);
const char *meant_span(struct arena *a, const char *text);
/* A number of the list `key`. `v`: the vocabulary of the row's service; NULL: the list is not in a
 * row. */
const char *meant_number(struct arena *a, const struct vocabulary *v, const char *key, const struct notation *n,
			 const char *text, bool *ret_several);
/* An address in a controller that belongs to another list; *ret_key is the key of that list. */
const char *meant_elsewhere(struct arena *a, const struct vocabulary *v, const char *text, const char **ret_key);
const char *meant_function(struct arena *a, const struct vocabulary *v, const char *text, bool *ret_several);
const char *meant_command(struct arena *a, const char *text, bool *ret_several);
/* `whole`: a point in time; otherwise a day. NULL also for days that do not exist. */
const char *meant_date(struct arena *a, const char *text, bool whole);
/* A value of the wrong kind for the key: the same value in the kind of that key. */
const char *meant_for_key(struct arena *a, const char *key, const char *text, bool *ret_several);

#endif
