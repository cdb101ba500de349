/* SPDX-License-Identifier: Apache-2.0 */
/* The signs of an attack by name: attack.def as data. Constant; owns nothing. */
#ifndef SEKISHO_WIRE_ATTACK_H
#define SEKISHO_WIRE_ATTACK_H

#include <stdbool.h>
#include <stdint.h>

enum attack_cause {
#define ATTACK(id, ...) id,
#include "appliance/wire/attack.def"
	ATTACK_CAUSES
};

#define ATTACK_MOST 1000000u /* of a threshold */

/* By which something is taken for one; never 0. */
struct attack_rule {
	uint32_t at_least[ATTACK_CAUSES]; /* how often, by enum attack_cause */
#define ATTACK_SETTING(word, ...) uint32_t word;
#include "appliance/wire/attack.def"
};

/* What a policy means that says nothing; and one that says some of it: 0 = nothing. */
extern const struct attack_rule attack_usual;
void attack_rule_fill(struct attack_rule *r);
/* "control=1 program=1 ... within_s=600": all of it, in the words of policies. */
#define ATTACK_RULE_TEXT 200u
void attack_rule_text(const struct attack_rule *r, char out[ATTACK_RULE_TEXT]);

/* The word of policies, records and questions; ATTACK_CAUSES: of none. */
const char *attack_word(unsigned cause);
unsigned attack_by_word(const char *word);
/* What it is, and what to do first; "en" or "ja". */
const char *attack_text(unsigned cause, const char *lang);
const char *attack_step(unsigned cause, const char *lang);

#endif
