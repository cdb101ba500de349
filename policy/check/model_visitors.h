/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who comes from outside: organisations that work with the site, and the doors that are opened
 * for their people.
 */
#ifndef SEKISHO_POLICY_CHECK_MODEL_VISITORS_H
#define SEKISHO_POLICY_CHECK_MODEL_VISITORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/diag.h"
#include "policy/ir/ir.h"

struct ast_node;
struct model_zone;

/* An outside organisation that works with the site: a zone of its own, for the time of
 * its contract. */
struct model_organisation {
	const char *name;
	const char *label;
	const struct model_zone *zone;
	uint64_t contract_until; /* seconds since 1970 UTC; 0 = nothing is said */
	struct ir_contact *contacts;
	size_t n_contacts;
	struct srcpos at;
};

/* A door: the conduits behind it are shut until a person opens it. */
struct model_door {
	const char *name;
	const char *label;
	/* the organisation whose people use this door; NULL = no outside organisation */
	const struct model_organisation *organisation;
	/* `of` in the text; check_organisations sets `organisation` from it */
	const struct ast_node *of;
	uint32_t at_most;   /* seconds: the longest time for which it may be opened */
	uint32_t opened_by; /* bits of enum duty */
	uint8_t needs;	    /* bits of enum door_need */
	bool second_person, break_glass;
	uint64_t open_until; /* 0 = shut, as always in a policy text */
	const char *opener;  /* who opened it, where that is known */
	struct srcpos at;
};

#endif
