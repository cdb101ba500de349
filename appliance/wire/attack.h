/* SPDX-License-Identifier: Apache-2.0 */
/* The signs of an attack by name: attack.def as data. Constant; owns nothing. */
#ifndef SEKISHO_WIRE_ATTACK_H
#define SEKISHO_WIRE_ATTACK_H

#include <stdint.h>

enum attack_cause {
#define ATTACK(id, ...) id,
#include "appliance/wire/attack.def"
	ATTACK_CAUSES
};

#define ATTACK_MOST 1000000u /* largest value of a threshold */

/* The thresholds by which records count as an attack; never 0. */
struct attack_rule {
	uint32_t at_least[ATTACK_CAUSES]; /* how often, by enum attack_cause */
#define ATTACK_SETTING(word, ...) uint32_t word;
#include "appliance/wire/attack.def"
};

/* The thresholds of a policy that sets none. attack_rule_fill puts them in the place of thresholds
 * that are 0. */
extern const struct attack_rule attack_usual;
void attack_rule_fill(struct attack_rule *r);
/* Bytes of a rule as text, "control=1 program=1 ... within_s=600", in the words of policies. */
#define ATTACK_RULE_TEXT 200u
void attack_rule_text(const struct attack_rule *r, char out[ATTACK_RULE_TEXT]);

/* The word of a cause in policies, records and questions. attack_by_word gives ATTACK_CAUSES for an
 * unknown word. */
const char *attack_word(unsigned cause);
unsigned attack_by_word(const char *word);
/* Texts for people: what the sign means, and what to do first. `lang`: "en" or "ja". */
const char *attack_text(unsigned cause, const char *lang);
const char *attack_step(unsigned cause, const char *lang);
/* The sign in at most 20 characters, for lists. */
const char *attack_title(unsigned cause, const char *lang);
/* What stands before the second end of an alarm: "to"; for a forged source, whose address it is. */
const char *attack_end(unsigned cause, const char *lang);

#endif
