/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The questions of `sekisho setup`, a function each: it asks once, checks at once what was typed, keeps it, and says what became of it.
 * Which comes after which is setup.c's affair. `k` says of which data interface it asks, from 0; other questions have no use for it.
 */
#ifndef SEKISHO_MGMT_CLI_SETUP_STEPS_H
#define SEKISHO_MGMT_CLI_SETUP_STEPS_H

#include "mgmt/cli/setup/setup.h"

#define SETUP_NAME_MOST 63u

enum step_result {
	STEP_GO,
	STEP_STAY, /* the same again */
	STEP_BACK,
	STEP_QUIT,
	STEP_ENOUGH, /* nothing further is to be asked: show it */
};

typedef enum step_result step(struct setup *s, size_t k);

/* site.c */
step step_language, step_site, step_label, step_mode;
/* interface.c */
step step_admin_card, step_admin_vlan, step_admin_address, step_terminals;
step step_data_card, step_data_vlan, step_data_address;
/* Of a box between two switches, the same with other words. */
step step_side_card;
/* zone.c */
step step_zone, step_class_of;
/* between.c; of gateways `k` is the network */
step step_shared_address, step_hosts, step_gateway, step_gateway_side;
/* show.c */
step step_show;

/* ---- what they share: ask.c ----------------------------------------------------------------------------------------- */

/* A line of the catalogue's. */
void step_tell(struct setup *s, enum message m, ...);
enum step_result step_ask(struct setup *s, enum message question, const char *otherwise, char out[SETUP_LINE]);
/* The same where letters, digits and signs of an input method's full width are meant as plain ones. */
enum step_result step_ask_plain(struct setup *s, enum message question, const char *otherwise, char out[SETUP_LINE]);
void step_plain(char text[SETUP_LINE]);
/* As policies name things. */
bool step_name_good(const char *text);

#endif
