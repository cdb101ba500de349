/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/protocols.h"

#include <string.h>
#include <strings.h>

#define PROTOCOL(depth, id, name, ndpi, transports, properties, also)                                                  \
	[PROTO_##id] = { #name, ndpi, depth, transports, properties, also },
static const struct protocol_info table[PROTO_COUNT] = {
	[PROTO_NONE] = { "unknown", NULL, DEPTH_TRANSPORT, 0, PROTO_OPAQUE, NULL },
#include "appliance/wire/protocols.def"
};

const struct protocol_info *protocol_info(enum protocol p)
{
	return (unsigned)p < PROTO_COUNT ? &table[p] : &table[PROTO_NONE];
}

unsigned protocols_end(void)
{
	return PROTO_COUNT;
}

enum protocol protocol_by_name(const char *name)
{
	for (unsigned i = 1; i < PROTO_COUNT; i++)
		if (strcmp(table[i].name, name) == 0)
			return (enum protocol)i;
	return PROTO_NONE;
}

/* nDPI's names for protocols that have their own recogniser here. */
#define OURS(name, id) { NDPI_PREFIX #name, PROTO_##id },
static const struct {
	const char *name;
	enum protocol protocol;
} ours[] = {
#include "appliance/wire/ndpi.def"
};

#define NDPI(id, name, bytes) [PROTO_NDPI_##id] = (bytes),
static const uint32_t undecided[PROTO_COUNT] = {
#include "appliance/wire/ndpi.def"
};

uint32_t protocol_undecided(enum protocol p)
{
	return (unsigned)p < PROTO_COUNT ? undecided[p] : 0;
}

/* The protocol that nDPI calls so, with or without "ndpi:". */
static enum protocol called_by_ndpi(const char *name)
{
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strcasecmp(ours[i].name, name) == 0)
			return ours[i].protocol;
	for (unsigned i = 1; i < PROTO_COUNT; i++)
		if (table[i].depth == DEPTH_NDPI &&
		    (strcasecmp(table[i].name, name) == 0 || strcasecmp(table[i].ndpi_name, name) == 0))
			return (enum protocol)i;
	return PROTO_NONE;
}

enum protocol protocol_also_called(const char *name)
{
	size_t n = strlen(name);

	for (unsigned i = 1; i < PROTO_COUNT; i++) {
		const char *word = table[i].also;

		while (word != NULL && n > 0) {
			size_t end = strcspn(word, " ");

			if (end == n && strncasecmp(word, name, n) == 0)
				return (enum protocol)i;
			word = word[end] == ' ' ? word + end + 1 : NULL;
		}
	}
	return called_by_ndpi(name);
}
