/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a text was probably meant to be, if it is in the notation of spreadsheets or of other
 * products (the rows of meant.def). Only for hints: no value is ever accepted in such a notation.
 */
#ifndef SEKISHO_POLICY_CHECK_MEANT_H
#define SEKISHO_POLICY_CHECK_MEANT_H

#include <stdbool.h>

#include "appliance/wire/notation.h"

struct arena;

/*
 * Undoes what input methods and spreadsheets make of a text: the result has half-width digits and
 * signs, ordinary blanks and only between words, and '-' for every dash and wave. NULL when memory
 * is out.
 */
char *meant_plain(struct arena *a, const char *text);
/* Whether the text means everything: "any", "all", "*", 「すべて」. `plain` may be NULL. */
bool meant_everything(const char *plain);
/*
 * These functions return what to write instead, in quotes and in the arena: the language accepts
 * it. NULL: the text means nothing of that kind. For an address with bits behind its mask
 * ("10.1.2.3/24") meant_address returns the network if `network` is set; otherwise the host.
 */
const char *meant_address(struct arena *a, bool network, const char *text);
/* A port on a transport that protocol `p` can use; with PROTO_NONE, on any transport. */
const char *meant_port(struct arena *a, enum protocol p, const char *text);
const char *meant_span(struct arena *a, const char *text);
const char *meant_number(struct arena *a, const struct notation *n, const char *text);
/* `whole`: a point in time, in Japan if the text has no offset; otherwise a day. */
const char *meant_date(struct arena *a, const char *text, bool whole);

#endif
