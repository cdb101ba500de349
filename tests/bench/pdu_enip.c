/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dpi/enip_desk.h"

#include "tests/bench/pdu.h"

#define READ_TAG 0x4cu
#define WRITE_TAG 0x4du

static uint64_t digest(const char *name)
{
	uint64_t v;

	if (!tag_read(name, strlen(name), &v))
		abort();
	return v;
}

static void fill(struct desk *d, struct command_row *row, bool elsewhere)
{
	uint64_t tag = digest(elsewhere ? "Trolley" : "Hoist");

	row->targets[0] = (struct number_set){ .any = true };
	row->services = wide(d, 0x6b4c, 0x6b4d);
	desk_space(d, row, ENIP_TAGS, wide(d, tag, tag));
}

static void rows(struct desk *d, unsigned more)
{
	rows_alike(d, more, fill);
}

/* A registered session, and a connection for requests. */
static void begin(struct desk *d)
{
	struct note slot = NOTE(1, 0, 0x20, 2, 0x24, 1);

	if (!begin_session(d) || !begin_connection(d, 3, &slot))
		abort();
}

static struct exchange exchange(const char *name, bool connected, const struct note *cip, const struct note *reply)
{
	struct note request = connected ? unit_note(0x103, 9, cip) : request_note(9, cip),
		    answer = connected ? unit_note(0x203, 9, reply) : request_note(9, reply);

	return (struct exchange){ name, said_of(request.b, request.n), said_of(answer.b, answer.n) };
}

/* The data of a Multiple Service Packet: the number of its requests, their offsets, the
 * requests. */
static struct note data_of_several(const struct note *parts, size_t n)
{
	struct note all = several_note(parts, n);

	return note_of(all.b + 6, all.n - 6);
}

static size_t exchanges(struct exchange ret[EXCHANGES])
{
	struct note one = NOTE(1, 0), value = NOTE(0xc3, 0, 5, 0), written = NOTE(0xc3, 0, 1, 0, 5, 0);
	struct note asked = tag_note(READ_TAG, "Hoist.Speed", &one), back = reply_note(READ_TAG, 0, &value), data;
	static struct note parts[10], replies[10];
	size_t n = 0;

	for (size_t i = 0; i < 10; i++) {
		parts[i] = asked;
		replies[i] = back;
	}
	ret[n++] = exchange("read a tag", false, &asked, &back);
	ret[n++] = exchange("read a tag, connected", true, &asked, &back);
	asked = tag_note(WRITE_TAG, "Hoist.Speed", &written);
	back = reply_note(WRITE_TAG, 0, &NOTHING);
	ret[n++] = exchange("write a tag", false, &asked, &back);
	asked = several_note(parts, 10);
	data = data_of_several(replies, 10);
	back = reply_note(0x0a, 0, &data);
	ret[n++] = exchange("read 10 tags at once", false, &asked, &back);
	return n;
}
