/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the register of devices on the disk or in a backup: what is accepted is within its
 * bounds, and can be worked with.
 *
 * LINK: appliance/journal/known.c appliance/base/atomic_file.c appliance/base/columns.c $(WIRE_SRC)
 * LINK: appliance/base/err.c appliance/base/sha256.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/bytes.c appliance/base/memfd.c appliance/base/clock.c
 * LIBS: jansson nettle
 */
#include <stdlib.h>
#include <string.h>

#include "appliance/journal/known.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A register that is taken over from a backup is as a box makes it: it can be written and read
 * again, and stays valid. */
static void take_over(const struct known *from)
{
	static struct known own, again;
	json_t *j;
	char *text;

	own = (struct known){ .n = 1, .last = UINT32_MAX - 1, .list[0] = { .number = 7, .mac = { 2 } } };
	known_take_over(&own, from);
	j = columns_json(known_file.columns, &own);
	text = json_dumps(j, JSON_COMPACT);
	if (text == NULL || known_parse((const uint8_t *)text, strlen(text), &again) != DEVICES_GO_ON ||
	    !known_is_sound(&again) || again.n != from->n || again.anew != DEVICES_RESTORED)
		abort();
	free(text);
	json_decref(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct known k;
	struct known_sighting s = { .mac = { 2, 0, 0, 0, 0, 1 },
				    .address = { .family = 4, .b = { 10, 0, 0, 1 } },
				    .interface = "lan0",
				    .zone = "ot",
				    .now = 2 };
	struct known_told told;
	json_t *j;

	if (known_parse(data, size, &k) != DEVICES_GO_ON) {
		if (k.n != 0 || k.last != 0 || k.reviewed != 0)
			abort();
		return 0;
	}
	if (k.n > KNOWN_MOST || (k.n > 0 && k.list[k.n - 1].number > k.last))
		abort();
	if (k.anew >= DEVICES_ANEW || (k.unrecorded.order > DEVICES_FORGET && k.unrecorded.order != DEVICES_TAKE) ||
	    k.unrecorded.n > KNOWN_MOST)
		abort();
	if (known_is_sound(&k))
		take_over(&k);
	told = known_see(&k, &s);
	if (told.number != 0 && known_find(&k, told.number) == NULL)
		abort();
	j = known_json(&k);
	if (j == NULL)
		abort();
	json_decref(j);
	return 0;
}
