/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The questions of `sekisho setup`. Each function asks one question, checks the answer, keeps it
 * and prints the result. setup.c decides the order of the questions. `k`: the data interface that
 * the question is about, from 0; not used by other questions.
 */
#ifndef SEKISHO_MGMT_CLI_SETUP_STEP_H
#define SEKISHO_MGMT_CLI_SETUP_STEP_H

#include <stdbool.h>
#include <stddef.h>

#include "mgmt/cli/setup/setup.h"

#define SETUP_NAME_MOST 63u

enum step_result {
	STEP_GO,
	STEP_STAY, /* ask the same question again */
	STEP_BACK,
	STEP_QUIT,
	STEP_ENOUGH, /* no further questions: show the result */
};

typedef enum step_result step(struct setup *s, size_t k);

/* site.c */
step step_language, step_site, step_label, step_contact, step_responsible, step_purpose, step_mode;
/* site.c: the zone behind an interface, and its class */
step step_zone, step_class_of, step_zone_label, step_owner;
/* interface.c */
step step_admin_card, step_admin_vlan, step_admin_address, step_terminals;
step step_data_card, step_data_vlan, step_data_address;
/* as step_admin_card, for a side of a box between two switches; only the words of the question
 * differ */
step step_side_card;
/* between.c. For the two questions about gateways, `k` is the number of the network. */
step step_shared_address, step_hosts, step_gateway, step_gateway_side;
/* apply.c */
step step_show;

/* ---- functions that all steps use (ask.c) ---------------------------------------------------- */

/* Prints a text of the catalogue as a line. */
void step_tell(struct setup *s, enum message m, ...);
enum step_result step_ask(struct setup *s, enum message question, const char *otherwise, char out[SETUP_LINE]);
/* As step_ask, but full-width letters, digits and signs of an input method become plain ones. */
enum step_result step_ask_plain(struct setup *s, enum message question, const char *otherwise, char out[SETUP_LINE]);
void step_plain(char text[SETUP_LINE]);
/* Whether the text is a valid name in a policy. */
bool step_name_good(const char *text);

#endif
