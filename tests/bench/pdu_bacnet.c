/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dpi/bacnet_desk.h"

#include "tests/bench/pdu.h"

static void fill(struct desk *d, struct command_row *row, bool elsewhere)
{
	row->services = desk_ranges(d,
				    (uint32_t[]){ BACNET_READ_PROPERTY, BACNET_READ_PROPERTY, BACNET_READ_MULTIPLE,
						  BACNET_READ_MULTIPLE, BACNET_WRITE_PROPERTY, BACNET_WRITE_PROPERTY },
				    3);
	desk_space(d, row, BACNET_OBJECTS,
		   elsewhere ? desk_range(d, AO(1000), AO(1199)) : desk_range(d, AO(0), AO(199)));
}

static void rows(struct desk *d, unsigned more)
{
	rows_alike(d, more, fill);
}

static void begin(struct desk *d)
{
	desk_reset(d);
}

static struct exchange exchange(const char *name, const char *asked, const char *told)
{
	struct wire a = unicast(asked), b = carried(BACNET_UNICAST, "01 00", told);

	return (struct exchange){ name, said_of(a.p, a.n), said_of(b.p, b.n) };
}

/* ReadPropertyMultiple of so many analog outputs' present values. */
static struct exchange several(unsigned objects)
{
	char asked[1024] = "00 04 07 0e", told[1024] = "30 07 0e", one[64];

	for (unsigned i = 0; i < objects; i++) {
		snprintf(one, sizeof(one), " 0c 004000%02x 1e 09 55 1f", 20 + 2 * i);
		strcat(asked, one);
		snprintf(one, sizeof(one), " 0c 004000%02x 1e 29 55 4e 44 40a00000 4f 1f", 20 + 2 * i);
		strcat(told, one);
	}
	return exchange("read 10 objects at once", asked, told);
}

static size_t exchanges(struct exchange ret[EXCHANGES])
{
	size_t n = 0;

	ret[n++] = exchange("read a value", "00 04 07 0c 0c 00400014 19 55",
			    "30 07 0c 0c 00400014 19 55 3e 44 40a00000 3f");
	ret[n++] = exchange("write a value", "00 04 07 0f 0c 00400014 19 55 3e 44 40a00000 3f 49 08", "20 07 0f");
	ret[n++] = several(10);
	return n;
}
