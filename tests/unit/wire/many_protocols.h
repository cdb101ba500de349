/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As many protocols as there are numbers, "p1" to "p511": none is enforced, each has its own
 * recogniser. For tests that link neither protocols.c nor the product's words, about what has to
 * work with every number.
 */
#ifndef SEKISHO_TESTS_UNIT_WIRE_MANY_PROTOCOLS_H
#define SEKISHO_TESTS_UNIT_WIRE_MANY_PROTOCOLS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/vocabulary.h"

unsigned protocols_end(void)
{
	return PROTO_MAX;
}

const struct protocol_info *protocol_info(enum protocol p)
{
	static struct protocol_info all[PROTO_MAX];
	static char names[PROTO_MAX][8];

	if ((unsigned)p >= PROTO_MAX)
		abort();
	snprintf(names[p], sizeof(names[p]), "p%u", (unsigned)p);
	all[p] = (struct protocol_info){ names[p], NULL, DEPTH_RECOGNISED, TRANSPORT_TCP, 0, NULL };
	return &all[p];
}

enum protocol protocol_by_name(const char *name)
{
	for (unsigned p = 1; p < PROTO_MAX; p++)
		if (strcmp(protocol_info((enum protocol)p)->name, name) == 0)
			return (enum protocol)p;
	return PROTO_NONE;
}

enum protocol protocol_also_called(const char *name)
{
	(void)name;
	return PROTO_NONE;
}

uint32_t protocol_undecided(enum protocol p)
{
	(void)p;
	return 0;
}

const struct vocabulary *vocabulary_of(enum protocol p)
{
	(void)p;
	return NULL;
}

#endif
