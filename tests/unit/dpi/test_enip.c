/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EtherNet/IP enforcer: what each service asks for, where it is sent, and how rows judge that.
 * Sessions and answers: test_enip_life.c.
 * LINK: $(COMMANDS_PARTS) dpi/enip/%.c appliance/wire/tag.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include "dpi/enip/enip.h"
#include "tests/unit/dpi/enip_desk.h"

static struct desk d;

/* Judges this request in a fresh session. */
static enum reason ask(struct note cip)
{
	assert_true(begin_session(&d));
	return says(&d, DIR_C2S, request_note(9, &cip))->reason;
}

/* One row with these services; the caller narrows it further. */
static struct command_row *services(uint32_t lo, uint32_t hi)
{
	struct command_row *row = desk_row(&d);

	row->targets[0] = (struct number_set){ .any = true };
	row->services = wide(&d, lo, hi);
	return row;
}

/* Services that apply to one attribute, or to a member of an attribute. */
static bool is_of_attribute(unsigned service)
{
	return service == 0x0e || service == 0x10 || (service >= 0x18 && service <= 0x1b);
}

static void every_service_by_its_code(void **unused)
{
	struct note value = NOTE(1, 2);

	(void)unused;
	/* The enforcer knows nothing of this class. The two bytes of data are enough for the
	 * services that need data. */
	for (unsigned service = 1; service < 128; service++) {
		bool bare = service == 0x01 || service == 0x0e;
		struct note none = { .n = 0 }, list = NOTE(0, 0);
		const struct note *data = bare ? &none : service == 0x03 ? &list : &value;
		uint32_t code = service < 0x32 ? service : 0xac00u | service;

		services(code, code);
		assert_int_equal(ask(object_note((uint8_t)service, 0xac, 1, 5, data)), R_ALLOWED);
		assert_int_equal(d.p.function, code);
		assert_int_equal(d.p.space, ENIP_OBJECTS);
		assert_int_equal(d.p.address, place(0xac, 1, is_of_attribute(service) ? 5 : 0));
		services(code + 1, ENIP_LAST);
		assert_int_equal(ask(object_note((uint8_t)service, 0xac, 1, 5, data)), R_ENIP_FUNCTION);
		services(0, code - 1);
		assert_int_equal(ask(object_note((uint8_t)service, 0xac, 1, 5, data)), R_ENIP_FUNCTION);
	}
	desk_whole(&d);
	assert_int_equal(ask(object_note(0, 0xac, 1, 5, &NOTHING)), R_ENIP_FRAME);
	for (unsigned service = 128; service < 256; service++)
		assert_int_equal(ask(object_note((uint8_t)service, 0xac, 1, 5, &value)), R_ENIP_FRAME);
}

static void services_that_classes_share_a_number_of(void **unused)
{
	struct note one = NOTE(1, 0);

	(void)unused;
	services(0x6b4c, 0x6b4c); /* read tag */
	assert_int_equal(ask(tag_note(0x4c, "Speed", &one)), R_ALLOWED);
	assert_int_equal(ask(object_note(0x4c, 0x6b, 7, 0, &one)), R_ALLOWED);
	/* begins a download */
	assert_int_equal(ask(object_note(0x4c, 0x37, 7, 0, &one)), R_ENIP_FUNCTION);
	/* A tag in front of an object of another class: some servers apply the service to the
	 * tag. */
	for (unsigned i = 0; i < 2; i++) {
		struct note path = tag_path("Speed"), write = NOTE(0xc3, 0, 1, 0, 5, 0);
		uint32_t code = i == 0 ? 0x6c4c : 0x374d, of_tag = i == 0 ? 0x6b4c : 0x6b4d;
		struct note request;

		put(put(put(put(&path, 0x20, 1), code >> 8, 1), 0x24, 1), 1, 1);
		request = cip_note((uint8_t)code, &path, i == 0 ? &one : &write);
		services(code, code);
		assert_int_equal(ask(request), R_ENIP_FUNCTION);
		assert_int_equal(d.p.function, of_tag);
		services(0, ENIP_LAST);
		assert_int_equal(ask(request), R_ALLOWED);
	}
	/* A request to the connection manager to open or close may have nothing in front of its
	 * path. */
	for (unsigned i = 0; i < 2; i++) {
		struct note slot = NOTE(1, 0, 0x20, 2, 0x24, 1), opens = open_note(1, 2, 0xa3, 0x43f4, &slot),
			    path = tag_path("Speed");
		struct note data = note_of(opens.b + 6, opens.n - 6);

		put_bytes(&path, opens.b + 2, 4);
		desk_whole(&d);
		assert_int_equal(ask(i == 0 ? opens : cip_note(0x54, &path, &data)), i == 0 ? R_ALLOWED : R_ENIP_FRAME);
	}
	services(0x6b52, 0x6b52);
	assert_int_equal(ask(tag_note(0x52, "Speed", &(struct note){ .b = { 1 }, .n = 6 })), R_ALLOWED);
}

static void lengths_agree(void **unused)
{
	static const struct {
		uint8_t service;
		bool tag;
		size_t fits;
		uint8_t data[24];
	} all[] = {
		{ 0x03, false, 6, { 2, 0, 1, 0, 2, 0 } },
		{ 0x4c, true, 2, { 1, 0 } },
		{ 0x52, true, 6, { 1, 0, 0, 0, 0, 0 } },
		{ 0x4d, true, 8, { 0xc3, 0, 2, 0, 1, 0, 2, 0 } },
		{ 0x4d, true, 5, { 0xc1, 0, 1, 0, 1 } },
		{ 0x4d, true, 12, { 0xc4, 0, 2, 0, 1, 0, 0, 0, 2, 0, 0, 0 } },
		{ 0x4d, true, 12, { 0xc5, 0, 1, 0, 1, 0, 0, 0, 2, 0, 0, 0 } },
		{ 0x53, true, 12, { 0xc3, 0, 4, 0, 4, 0, 0, 0, 1, 0, 2, 0 } },
		{ 0x4e, true, 6, { 2, 0, 1, 0, 0xff, 0xff } },
		{ 0x4e, true, 18, { 8, 0 } },
		{ 0x4e, true, 26 - 0, { 12, 0 } },
		{ 0x55, false, 6, { 2, 0, 1, 0, 2, 0 } },
	};

	(void)unused;
	desk_whole(&d);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (size_t n = 0; n < 40; n++) {
			struct note data = note_of(all[i].data, sizeof(all[i].data));
			bool padded = all[i].data[0] == 0xc1 && n == all[i].fits + 1;
			bool fits = n == all[i].fits || padded || (all[i].service == 0x53 && (n == 10 || n == 12));

			put(&data, 0, 8);
			put(&data, 0, 8);
			data.n = n;
			assert_int_equal(ask(all[i].tag ? tag_note(all[i].service, "T", &data)
							: object_note(all[i].service, 0x6b, 1, 0, &data)),
					 fits ? R_ALLOWED : R_ENIP_FRAME);
		}
}

/*
 * libplctag pads an odd number of bytes to whole words, and Omron's controllers take a BOOL as a
 * word. So a zero byte may follow, which servers that go by the length see as one more value. No
 * other byte may follow, and none in other places.
 */
static void padded_writes(void **unused)
{
	static const struct {
		uint8_t service;
		size_t n;
		uint8_t data[16];
		bool fits;
		uint64_t least; /* the lowest value in the row that allows the request */
	} all[] = {
		{ 0x4d, 6, { 0xc1, 0, 1, 0, 1, 0 }, true, 0 },
		{ 0x4d, 6, { 0xc1, 0, 1, 0, 1, 1 }, false, 0 },
		{ 0x4d, 5, { 0xc2, 0, 1, 0, 7 }, true, 7 },
		{ 0x4d, 6, { 0xc2, 0, 1, 0, 7, 0 }, true, 0 },
		{ 0x4d, 7, { 0xc2, 0, 1, 0, 7, 0, 0 }, false, 0 },
		{ 0x4d, 7, { 0xc2, 0, 2, 0, 7, 7, 0 }, false, 0 },
		{ 0x4d, 8, { 0xc2, 0, 3, 0, 7, 7, 7, 0 }, true, 0 },
		{ 0x4d, 8, { 0xc3, 0, 1, 0, 7, 0, 0, 0 }, false, 0 },
		{ 0x4d, 7, { 0xc3, 0, 1, 0, 7, 0, 0 }, false, 0 },
		{ 0x53, 10, { 0xc2, 0, 1, 0, 0, 0, 0, 0, 7, 0 }, true, 0 },
		{ 0x53, 10, { 0xc2, 0, 3, 0, 2, 0, 0, 0, 7, 0 }, true, 0 },
		{ 0x53, 10, { 0xc2, 0, 3, 0, 3, 0, 0, 0, 7, 0 }, false, 0 },
		{ 0x53, 10, { 0xc2, 0, 3, 0, 2, 0, 0, 0, 7, 9 }, false, 0 },
		{ 0x53, 9, { 0xc2, 0, 3, 0, 3, 0, 0, 0, 7 }, false, 0 },
	};

	(void)unused;
	desk_clear(&d);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct note data = note_of(all[i].data, all[i].n);

		desk_whole(&d);
		if (ask(tag_note(all[i].service, "T", &data)) != (all[i].fits ? R_ALLOWED : R_ENIP_FRAME))
			fail_msg("%zu: %d", i, d.p.reason);
		if (!all[i].fits)
			continue;
		for (uint64_t lo = 0; lo < 9; lo++) {
			struct command_row *row;

			desk_clear(&d);
			row = desk_grant(&d, 0, 100, false);
			row->values = desk_range(&d, lo, 9);
			assert_int_equal(ask(tag_note(all[i].service, "T", &data)),
					 lo <= all[i].least ? R_ALLOWED : R_ENIP_VALUE);
		}
	}
}

/* Rockwell's tools send data of their own when they read all attributes of class AC, and pycomm3
 * leaves a route behind the request: such requests are still reads. */
static void attributes_with_data(void **unused)
{
	const uint64_t all = (uint64_t)1 << ENIP_ATTRIBUTE_BITS;

	(void)unused;
	for (unsigned n = 0; n < 5; n++) {
		struct note data = NOTE(1, 0, 1, 0, 0x12);

		data.n = n;
		services(0x01, 0x01);
		assert_int_equal(ask(object_note(0x01, 0xac, 1, 0, &data)), R_ALLOWED);
		assert_true(d.p.space == ENIP_OBJECTS && d.p.address == place(0xac, 1, 0) && d.p.quantity == all);
		services(0x0e, 0x0e);
		assert_int_equal(ask(object_note(0x0e, 0xac, 1, 7, &data)), R_ALLOWED);
		assert_true(d.p.space == ENIP_OBJECTS && d.p.address == place(0xac, 1, 7) && d.p.quantity == 1);
	}
}

static void masks_and_counts(void **unused)
{
	(void)unused;
	desk_whole(&d);
	for (unsigned n = 0; n < 16; n++) {
		struct note data = { .b = { (uint8_t)n }, .n = 2 + 2 * n };

		assert_int_equal(ask(tag_note(0x4e, "T", &data)),
				 n == 1 || n == 2 || n == 4 || n == 8 || n == 12 ? R_ALLOWED : R_ENIP_FRAME);
	}
	for (unsigned count = 0; count < 8; count++)
		for (unsigned at = 0; at < 12; at++)
			for (unsigned here = 0; here < 12; here++) {
				struct note data = NOTE(0xc3, 0, (uint8_t)count, 0, (uint8_t)at, 0, 0, 0);
				bool fits = here > 0 && here % 2 == 0 && at % 2 == 0 && at + here <= 2 * count;

				data.n += here;
				assert_int_equal(ask(tag_note(0x53, "T", &data)), fits ? R_ALLOWED : R_ENIP_FRAME);
			}
}

/* Every kind of segment, with arbitrary bytes behind it. */
static void segments(void **unused)
{
	(void)unused;
	desk_whole(&d);
	for (unsigned type = 0; type < 256; type++) {
		struct note path = NOTE(0x20, 4, (uint8_t)type, 0, 0, 0), request;
		bool known = type == 0x21 || type == 0x25 || type == 0x29 || type == 0x31;

		request = cip_note(0x17, &path, &NOTHING);
		/* The 16-bit forms of class, instance, element and attribute are known. After an
		 * 8-bit form the next byte 00 would be a segment of its own: a hop. */
		assert_int_equal(ask(request), known ? R_ALLOWED : R_ENIP_FRAME);
	}
	for (unsigned pad = 0; pad < 256; pad++) {
		struct note path = NOTE(0x20, 4, 0x25, (uint8_t)pad, 9, 0);

		assert_int_equal(ask(cip_note(0x17, &path, &NOTHING)), pad == 0 ? R_ALLOWED : R_ENIP_FRAME);
	}
}

static void odd_paths(void **unused)
{
	struct note bad[] = {
		{ .n = 0 },				  /* none */
		NOTE(0x24, 1),				  /* an instance without a class */
		NOTE(0x28, 1),				  /* an element of nothing */
		NOTE(0x20, 4, 0x24, 1, 0x24, 2),	  /* two instances */
		NOTE(0x20, 4, 0x24, 1, 0x30, 1, 0x30, 2), /* two attributes */
		/* a class of 32 bits, which does not exist */
		NOTE(0x22, 0, 4, 0, 0, 0, 0x24, 1),
		/* a connection point without a connection */
		NOTE(0x20, 4, 0x2c, 1),
		NOTE(0x01, 0, 0x20, 4, 0x24, 1), /* a hop */
		NOTE(0x91, 0),			 /* a tag without a name */
		NOTE(0x91, 1, 'a', 7),		 /* padded with something */
		NOTE(0x91, 3, 'a', 'b'),	 /* a name that is longer than the path */
		/* the second part of the name is missing */
		NOTE(0x91, 2, 'a', '.'),
		NOTE(0x91, 2, ' ', 'a'),
		NOTE(0x61, 'a'),		   /* the old form of a symbol */
		NOTE(0x20, 4, 0x91, 1, 'a', 0),	   /* a tag beneath an object */
		NOTE(0x20, 0x6b, 0x91, 1, 'a', 0), /* ... beneath all tags */
		NOTE(0x20, 0x6b, 0x24, 0, 0x91, 1, 'a', 0),
		NOTE(0x20, 0x6c, 0x24, 5, 0x91, 1, 'a', 0),
		NOTE(0x20, 0x6b, 0x24, 5, 0x30, 1, 0x91, 1, 'a', 0),
		NOTE(0x20, 0x68, 0x24, 5, 0x20, 0x6b, 0x24, 5, 0x91, 1, 'a', 0),
		NOTE(0x91, 1, 'b', 0, 0x20, 0x6b, 0x24, 5, 0x91, 1, 'a', 0),
		/* an object beneath a member */
		NOTE(0x20, 0x6b, 0x24, 5, 0x91, 1, 'a', 0, 0x20, 1, 0x24, 1),
		NOTE(0x20, 0x6b, 0x24, 5, 0x91, 1, 'a', 0, 0x24, 1),
		NOTE(0x20, 0x6b, 0x24, 5, 0x91, 1, 'a', 0, 0x30, 1),
		NOTE(0x20, 1, 0x20, 2, 0x20, 3, 0x20, 4), /* deeper than anything */
	};

	(void)unused;
	desk_whole(&d);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ask(cip_note(0x17, &bad[i], &NOTHING)), R_ENIP_FRAME);
}

static void objects_are_named(void **unused)
{
	struct command_row *row = services(0, ENIP_LAST);
	struct note list = NOTE(3, 0, 1, 0, 2, 0, 9, 0), spread = NOTE(6, 0, 1, 0, 3, 0, 5, 0, 7, 0, 9, 0, 11, 0);

	(void)unused;
	desk_space(&d, row, ENIP_OBJECTS, wide(&d, place(0x8b, 1, 1), place(0x8b, 1, 9)));
	assert_int_equal(ask(object_note(0x0e, 0x8b, 1, 1, &NOTHING)), R_ALLOWED);
	assert_int_equal(ask(object_note(0x0e, 0x8b, 1, 9, &NOTHING)), R_ALLOWED);
	assert_int_equal(ask(object_note(0x0e, 0x8b, 1, 10, &NOTHING)), R_ENIP_ADDRESS);
	assert_int_equal(ask(object_note(0x0e, 0x8b, 2, 1, &NOTHING)), R_ENIP_ADDRESS);
	assert_int_equal(ask(object_note(0x0e, 0x8c, 1, 1, &NOTHING)), R_ENIP_ADDRESS);
	/* the member is not stated */
	assert_int_equal(ask(object_note(0x0e, 0x8b, 1, 0, &NOTHING)), R_ENIP_ADDRESS);
	/* all of them */
	assert_int_equal(ask(object_note(0x01, 0x8b, 1, 0, &NOTHING)), R_ENIP_ADDRESS);
	assert_int_equal(ask(object_note(0x03, 0x8b, 1, 0, &list)), R_ALLOWED);
	list.b[6] = 10;
	assert_int_equal(ask(object_note(0x03, 0x8b, 1, 0, &list)), R_ENIP_ADDRESS);
	assert_int_equal(ask(object_note(0x03, 0x8b, 1, 0, &spread)), R_ENIP_ADDRESS);
	spread.b[12] = 2;
	assert_int_equal(ask(object_note(0x03, 0x8b, 1, 0, &spread)), R_ALLOWED);
	assert_int_equal(ask(tag_note(0x4c, "Speed", &(struct note){ .b = { 1 }, .n = 2 })), R_ENIP_ADDRESS);
	/* An object inside another: the row has to name both. An attribute beyond the range of
	 * numbers stands for the whole object. */
	assert_int_equal(ask(object_note(0x0e, 0x8b, 1, 40000, &NOTHING)), R_ENIP_ADDRESS);
	row = services(0, ENIP_LAST);
	desk_space(&d, row, ENIP_OBJECTS, wide(&d, place(0x68, 3, 0), place(0x68, 3, 0x7fff)));
	{
		struct note path = NOTE(0x20, 0x68, 0x24, 3, 0x20, 0x6a, 0x24, 1);

		assert_int_equal(ask(cip_note(0x17, &path, &NOTHING)), R_ENIP_ADDRESS);
		desk_space(&d, row, ENIP_OBJECTS, wide(&d, place(0x6a, 1, 0), place(0x6a, 1, 0x7fff)));
		assert_int_equal(ask(cip_note(0x17, &path, &NOTHING)), R_ENIP_ADDRESS);
		desk_space(&d, row, ENIP_OBJECTS, wide(&d, place(0x68, 3, 0), place(0x6a, 1, 0x7fff)));
		assert_int_equal(ask(cip_note(0x17, &path, &NOTHING)), R_ALLOWED);
	}
}

/*
 * For services of a whole instance, or of a list, an attribute in the path means nothing: OpENer
 * ignores it. For services of one attribute or of its members, the path says which attribute is
 * touched.
 */
static void attribute_in_the_path_of_more(void **unused)
{
	struct note list = NOTE(1, 0, 7, 0), set = NOTE(1, 0, 7, 0, 1, 0);

	(void)unused;
	for (unsigned service = 1; service < 0x80; service++) {
		struct command_row *row = services(0, ENIP_LAST);
		struct note request = object_note((uint8_t)service, 0x64, 1, 3, service == 0x03 ? &list : &set);

		desk_space(&d, row, ENIP_OBJECTS, wide(&d, place(0x64, 1, 3), place(0x64, 1, 3)));
		assert_int_equal(ask(request), is_of_attribute(service) ? R_ALLOWED : R_ENIP_ADDRESS);
		row = services(0, ENIP_LAST);
		desk_space(&d, row, ENIP_OBJECTS, wide(&d, place(0x64, 1, 0), place(0x64, 1, 0x7fff)));
		if (service < ENIP_CLASS_SERVICES && service != 0x11 &&
		    function_by_code(&vocabulary_enip, service) != NULL)
			assert_int_equal(ask(request), R_ALLOWED);
	}
}

/* A service without a name may do anything, wherever it is sent: rows with any limit refuse it. */
static void without_a_name(void **unused)
{
	struct note value = NOTE(1, 0), slot = NOTE(1, 0);
	struct command_row *row;

	(void)unused;
	for (unsigned i = 0; i < 6; i++) {
		struct note all[] = { object_note(0x4c, 0x74, 1, 0, &value), object_note(0x0b, 0x74, 1, 0, &value),
				      object_note(0x0a, 0x74, 1, 0, &value), object_note(0x77, 0x74, 1, 0, &value),
				      open_note(1, 2, 0xa2, 0x43f4, &slot),  tag_note(0x60, "Speed", &value) };

		if (i == 4) {
			struct note to = NOTE(0x20, 0x74, 0x24, 1);

			all[4] = open_note(1, 2, 0xa2, 0x43f4, &to);
		}
		services(0, ENIP_LAST);
		assert_int_equal(ask(all[i]), R_ALLOWED);
		row = services(0, ENIP_LAST);
		row->values = wide(&d, 0, UINT32_MAX);
		assert_int_equal(ask(all[i]), R_ENIP_VALUE);
		row = services(0, ENIP_LAST);
		desk_space(&d, row, ENIP_OBJECTS, wide(&d, 0, INT64_MAX));
		desk_space(&d, row, ENIP_TAGS, wide(&d, 0, INT64_MAX));
		assert_int_equal(ask(all[i]), R_ENIP_ADDRESS);
	}
}

static uint64_t digest(const char *name)
{
	uint64_t v;

	assert_true(tag_read(name, strlen(name), &v));
	return v;
}

static void tags_are_named(void **unused)
{
	struct command_row *row = services(0, ENIP_LAST);
	struct note one = NOTE(1, 0), path;

	(void)unused;
	desk_space(&d, row, ENIP_TAGS, wide(&d, digest("Crane.Hoist"), digest("Crane.Hoist")));
	assert_int_equal(ask(tag_note(0x4c, "Crane.Hoist", &one)), R_ALLOWED);
	assert_int_equal(ask(tag_note(0x4c, "CRANE.hoist", &one)), R_ALLOWED);
	assert_int_equal(ask(tag_note(0x4c, "Crane.Hoist.Speed", &one)), R_ALLOWED);
	assert_int_equal(ask(tag_note(0x4c, "Crane.Hoist.a.b.c.d.e.f", &one)), R_ALLOWED);
	assert_int_equal(ask(tag_note(0x4c, "Crane", &one)), R_ENIP_ADDRESS);
	assert_int_equal(ask(tag_note(0x4c, "Crane.Hois", &one)), R_ENIP_ADDRESS);
	assert_int_equal(ask(tag_note(0x4c, "Crane.Hoist2", &one)), R_ENIP_ADDRESS);
	assert_int_equal(ask(tag_note(0x4c, "Crane.Trolley.Hoist", &one)), R_ENIP_ADDRESS);
	assert_int_equal(ask(object_note(0x4c, 0x6b, 1, 0, &one)), R_ENIP_ADDRESS);
	/* An element of a tag is covered by the tag. A symbol with a dot in it is the same as two
	 * symbols. */
	path = tag_path("Crane.Hoist");
	put(put(&path, 0x28, 1), 5, 1);
	put(put(&path, 0x29, 2), 700, 2);
	put(put(&path, 0x2a, 2), 70000, 4);
	assert_int_equal(ask(cip_note(0x4c, &path, &one)), R_ALLOWED);
	path = note_of((const uint8_t *)"\x91\x0b"
					"crane.hoist\0",
		       14);
	assert_int_equal(ask(cip_note(0x4c, &path, &one)), R_ALLOWED);
	/* A tag with an instance of the symbol class beneath it: the row has to name both. */
	path = tag_path("Crane.Hoist");
	put(put(&path, 0x20, 1), 0x6b, 1);
	put(put(&path, 0x24, 1), 0, 1);
	assert_int_equal(ask(cip_note(0x55, &path, &one)), R_ENIP_FRAME);
	one = NOTE(1, 0, 1, 0);
	assert_int_equal(ask(cip_note(0x55, &path, &one)), R_ENIP_ADDRESS);
}

/*
 * pycomm3 names a tag by its instance, and the members of a structure by their names. The row has
 * to name both, because a server might read the member's name as the name of a tag.
 */
static void members_of_an_instance(void **unused)
{
	struct command_row *row = services(0, ENIP_LAST);
	struct note one = NOTE(1, 0),
		    path = NOTE(0x20, 0x6b, 0x25, 0, 17, 0, 0x28, 3, 0x91, 5, 'H', 'o', 'i', 's', 't', 0, 0x28, 1);

	(void)unused;
	assert_int_equal(ask(cip_note(0x4c, &path, &one)), R_ALLOWED);
	assert_int_equal(d.p.function, ENIP_OF_CLASS(0x6b, 0x4c));
	desk_space(&d, row, ENIP_OBJECTS, wide(&d, place(0x6b, 17, 0), place(0x6b, 17, 0x7fff)));
	assert_int_equal(ask(cip_note(0x4c, &path, &one)), R_ENIP_ADDRESS);
	desk_space(&d, row, ENIP_TAGS, wide(&d, digest("Hoist"), digest("Hoist")));
	assert_int_equal(ask(cip_note(0x4c, &path, &one)), R_ALLOWED);
	path.b[4] = 18;
	assert_int_equal(ask(cip_note(0x4c, &path, &one)), R_ENIP_ADDRESS);
	path.b[4] = 17;
	path.b[14] = 's';
	assert_int_equal(ask(cip_note(0x4c, &path, &one)), R_ENIP_ADDRESS);
	path.b[14] = 't';
	row->services = desk_range(&d, ENIP_OF_CLASS(0x6b, 0x4c), ENIP_OF_CLASS(0x6b, 0x4c));
	assert_int_equal(ask(cip_note(0x4c, &path, &one)), R_ALLOWED);
	one = NOTE(0xc4, 0, 1, 0, 7, 0, 0, 0);
	assert_int_equal(ask(cip_note(0x4d, &path, &one)), R_ENIP_FUNCTION);
}

static void values_that_are_written(void **unused)
{
	struct command_row *row = services(0, ENIP_LAST);
	struct note two = NOTE(0xc3, 0, 2, 0, 5, 0, 9, 0), real = NOTE(0xca, 0, 1, 0, 0, 0, 0, 0);
	struct note structure = NOTE(0xa0, 2, 0x34, 0x12, 1, 0, 5, 0), mask = NOTE(1, 0, 5, 5), set = NOTE(5, 0);

	(void)unused;
	row->values = wide(&d, 5, 9);
	assert_int_equal(ask(tag_note(0x4d, "T", &two)), R_ALLOWED);
	two.b[7] = 1; /* 9 + 256 */
	assert_int_equal(ask(tag_note(0x4d, "T", &two)), R_ENIP_VALUE);
	assert_int_equal(d.p.limit.wrote, 265);
	assert_int_equal(ask(tag_note(0x4d, "T", &real)), R_ENIP_VALUE);
	assert_int_equal(ask(tag_note(0x4d, "T", &structure)), R_ENIP_VALUE);
	assert_int_equal(ask(tag_note(0x4e, "T", &mask)), R_ENIP_VALUE);
	assert_int_equal(ask(object_note(0x10, 0x64, 1, 1, &set)), R_ALLOWED);
	set.b[0] = 4;
	assert_int_equal(ask(object_note(0x10, 0x64, 1, 1, &set)), R_ENIP_VALUE);
	set.n = 0;
	assert_int_equal(ask(object_note(0x10, 0x64, 1, 1, &set)), R_ENIP_FRAME);
	set = NOTE(5, 0, 0);
	/* three bytes do not make a number */
	assert_int_equal(ask(object_note(0x10, 0x64, 1, 1, &set)), R_ENIP_VALUE);
	assert_int_equal(ask(object_note(0x04, 0x64, 1, 0, &two)), R_ENIP_VALUE);
	/* the effect of this service is unknown */
	assert_int_equal(ask(object_note(0x77, 0x64, 1, 0, &two)), R_ENIP_VALUE);
	assert_int_equal(ask(object_note(0x0e, 0x64, 1, 1, &NOTHING)), R_ALLOWED);
}

static void several_in_one(void **unused)
{
	struct note parts[40], all, list = NOTE(1, 0, 1, 0);

	(void)unused;
	services(0x03, 0x03);
	for (size_t n = 1; n <= 40; n++)
		for (size_t bad = 0; bad <= n; bad++) {
			for (size_t i = 0; i < n; i++)
				parts[i] = object_note(i == bad ? 0x07 : 0x03, 0x8e, 1, 0, i == bad ? &NOTHING : &list);
			all = several_note(parts, n);
			assert_int_equal(ask(all), bad == n ? R_ALLOWED : R_ENIP_FUNCTION);
			if (bad < n)
				assert_int_equal(d.p.function, 7);
		}
	/* Each byte of the offsets is increased or decreased by one: a part would begin at another
	 * place. */
	for (size_t i = 0; i < 3; i++)
		parts[i] = object_note(0x03, 0x8e, 1, 0, &list);
	for (size_t at = 6; at < 14; at++)
		for (int off = -2; off <= 2; off++) {
			all = several_note(parts, 3);
			all.b[at] = (uint8_t)(all.b[at] + off);
			assert_int_equal(ask(all), off == 0 ? R_ALLOWED : R_ENIP_FRAME);
		}
	all = several_note(parts, 0);
	assert_int_equal(ask(all), R_ENIP_FRAME);
	/* A Multiple Service Packet must not contain another one, or a request that is sent on. */
	desk_whole(&d);
	parts[1] = several_note(parts, 1);
	assert_int_equal(ask(several_note(parts, 2)), R_ENIP_FRAME);
	parts[1] = sent_on_note(&parts[0], &(struct note){ .b = { 1, 0 }, .n = 2 });
	assert_int_equal(ask(several_note(parts, 2)), R_ENIP_FRAME);
	/* More parts than the enforcer has room for. */
	{
		static struct note many[255];

		for (size_t i = 0; i < 255; i++)
			many[i] = object_note(0x0e, 1, 1, 1, &NOTHING);
		assert_int_equal(ask(several_note(many, 255)), R_ALLOWED);
		for (size_t i = 0; i < 255; i++)
			many[i] = object_note(0x03, 1, 1, 0, &(struct note){ .b = { 2, 0, 1, 0, 9 }, .n = 6 });
		assert_int_equal(ask(several_note(many, 200)), R_ENIP_MANY);
	}
	/* Sent to another object than the message router, this service is an unknown one. */
	services(0x03, 0x03);
	all = several_note(parts, 1);
	all.b[3] = 0x8e;
	assert_int_equal(ask(all), R_ENIP_FUNCTION);
	assert_int_equal(d.p.function, 0x0a);
}

static void sent_on(void **unused)
{
	struct note read = object_note(0x0e, 1, 1, 7, &NOTHING), stop = object_note(0x07, 0x8e, 1, 0, &NOTHING);
	struct note slot0 = NOTE(1, 0), slot2 = NOTE(1, 2), deep = NOTE(1, 2, 2, 5), far, twice,
		    list = NOTE(1, 0, 1, 0);
	struct note address = NOTE(0x12, 12, '1', '9', '2', '.', '1', '6', '8', '.', '0', '.', '0', '1');
	struct command_row *row = services(1, 0x0e);

	(void)unused;
	assert_int_equal(ask(sent_on_note(&read, &slot0)), R_ALLOWED);
	assert_int_equal(d.p.targets[0], 0x100);
	row->services = wide(&d, 0x0e, 0x0e);
	assert_int_equal(ask(sent_on_note(&stop, &slot0)), R_ENIP_FUNCTION);
	assert_int_equal(d.p.function, 7);
	row->targets[0] = wide(&d, 0x102, 0x102);
	assert_int_equal(ask(sent_on_note(&read, &slot2)), R_ALLOWED);
	assert_int_equal(ask(sent_on_note(&read, &slot0)), R_ENIP_ROUTE);
	assert_int_equal(ask(read), R_ENIP_ROUTE); /* the device itself */
	/* More than one hop, or a hop by address: no row with a limit allows it, whatever the first
	 * hop is. */
	row->targets[0] = wide(&d, 0, 0xffff);
	assert_int_equal(ask(sent_on_note(&read, &slot2)), R_ALLOWED);
	assert_int_equal(ask(sent_on_note(&read, &deep)), R_ENIP_ROUTE);
	assert_int_equal(ask(sent_on_note(&read, &address)), R_ENIP_ROUTE);
	row->targets[0] = (struct number_set){ .any = true };
	assert_int_equal(ask(sent_on_note(&read, &deep)), R_ENIP_ROUTE);
	assert_int_equal(ask(sent_on_note(&read, &address)), R_ENIP_ROUTE);
	desk_whole(&d);
	assert_int_equal(ask(sent_on_note(&read, &deep)), R_ALLOWED);
	assert_int_equal(ask(sent_on_note(&read, &address)), R_ALLOWED);
	/* A request that is sent on never contains another one that is sent on, or one that opens a
	 * connection. */
	far = sent_on_note(&read, &slot0);
	twice = sent_on_note(&far, &slot2);
	assert_int_equal(ask(twice), R_ENIP_FRAME);
	far = open_note(1, 2, 0xa3, 0x43f4, &(struct note){ .b = { 0x20, 2, 0x24, 1 }, .n = 4 });
	assert_int_equal(ask(sent_on_note(&far, &slot0)), R_ENIP_FRAME);
	/* A Multiple Service Packet is sent on. */
	services(0x03, 0x03);
	far = object_note(0x03, 1, 1, 0, &list);
	far = several_note(&far, 1);
	assert_int_equal(ask(sent_on_note(&far, &slot0)), R_ALLOWED);
	/* A wrong length of the request inside, or of the route. */
	desk_whole(&d);
	for (size_t at = 8; at < 10; at++)
		for (int off = -2; off <= 2; off++) {
			far = sent_on_note(&read, &slot0);
			far.b[at] = (uint8_t)(far.b[at] + off);
			assert_int_equal(ask(far), off == 0 ? R_ALLOWED : R_ENIP_FRAME);
		}
	for (unsigned words = 0; words < 256; words++) {
		far = sent_on_note(&read, &slot0);
		far.b[10 + read.n] = (uint8_t)words;
		assert_int_equal(ask(far), words == 1 ? R_ALLOWED : R_ENIP_FRAME);
	}
}

static void pccc(void **unused)
{
	(void)unused;
	for (unsigned command = 0; command < 256; command++)
		for (unsigned function = 0; function < 256; function++) {
			struct note data = NOTE(7, 0x4d, 0, 1, 2, 3, 4, (uint8_t)command, 0, 1, 0, (uint8_t)function);
			bool has = command == 6 || command == 7 || command == 15;
			uint32_t code = ENIP_PCCC(command, has ? function : 0);

			if (!has && function > 0)
				break;
			services(code, code);
			assert_int_equal(ask(object_note(0x4b, 0x67, 1, 0, &data)),
					 command < 16 ? R_ALLOWED : R_ENIP_FRAME);
			services(0x674b, 0x674b);
			assert_int_equal(ask(object_note(0x4b, 0x67, 1, 0, &data)),
					 command < 16 ? R_ENIP_FUNCTION : R_ENIP_FRAME);
		}
	desk_whole(&d);
	for (unsigned n = 0; n < 256; n++) {
		struct note data = NOTE((uint8_t)n, 0x4d, 0, 1, 2, 3, 4, 0x0f, 0, 1, 0, 0x68);

		/* If the requester's part is shorter, the command stands at another place; that
		 * command decides. */
		if (n == 7)
			assert_int_equal(ask(object_note(0x4b, 0x67, 1, 0, &data)), R_ALLOWED);
		else if (n == 0 || n > 8)
			assert_int_equal(ask(object_note(0x4b, 0x67, 1, 0, &data)), R_ENIP_FRAME);
	}
}

static void outputs_and_inputs(void **unused)
{
	struct note to = NOTE(0x20, 4, 0x24, 151, 0x2c, 150, 0x2c, 100), config;
	struct command_row *row = services(ENIP_OPEN_INPUT, ENIP_OPEN_INPUT);

	(void)unused;
	/* carries only the sign that the sender is alive */
	assert_int_equal(ask(open_note(1, 2, 1, 0x4802, &to)), R_ALLOWED);
	/* no connection that way */
	assert_int_equal(ask(open_note(1, 2, 1, 0x0806, &to)), R_ALLOWED);
	assert_int_equal(ask(open_note(1, 2, 1, 0x4806, &to)), R_ENIP_FUNCTION);
	assert_int_equal(d.p.function, ENIP_OPEN_OUTPUT);
	assert_int_equal(ask(open_note(1, 2, 0, 0x4801, &to)), R_ENIP_FUNCTION);
	config = to;
	/* the request also configures the target */
	put(put(put(&config, 0x80, 1), 1, 1), 0x1234, 2);
	assert_int_equal(ask(open_note(1, 2, 1, 0x4802, &config)), R_ENIP_FUNCTION);
	row = services(ENIP_OPEN_OUTPUT, ENIP_OPEN_OUTPUT);
	assert_int_equal(ask(open_note(1, 2, 1, 0x4806, &to)), R_ALLOWED);
	desk_space(&d, row, ENIP_OBJECTS, wide(&d, place(4, 100, 0), place(4, 151, 0x7fff)));
	assert_int_equal(ask(open_note(1, 2, 1, 0x4806, &to)), R_ALLOWED);
	desk_space(&d, row, ENIP_OBJECTS, wide(&d, place(4, 101, 0), place(4, 151, 0x7fff)));
	assert_int_equal(ask(open_note(1, 2, 1, 0x4806, &to)), R_ENIP_ADDRESS);
	desk_space(&d, row, ENIP_OBJECTS, wide(&d, place(4, 100, 0), place(4, 150, 0x7fff)));
	assert_int_equal(ask(open_note(1, 2, 1, 0x4806, &to)), R_ENIP_ADDRESS);
	/* Data of other transport classes, and requests to another object than the router, cannot
	 * be judged. */
	services(ENIP_OPEN_OUTPUT, ENIP_OPEN_INPUT);
	assert_int_equal(ask(open_note(1, 2, 0xa2, 0x43f4, &to)), R_ENIP_FUNCTION);
	assert_int_equal(ask(open_note(1, 2, 0xa3, 0x43f4, &to)), R_ENIP_FUNCTION);
	assert_int_equal(d.p.function, ENIP_OPEN_OTHER);
}

/* A Forward Open with any byte changed by one is no Forward Open, or asks for something else. It is
 * never allowed if the row does not allow it. */
static void openings_are_exact(void **unused)
{
	struct note router = NOTE(1, 0, 0x20, 2, 0x24, 1), whole = open_note(1, 2, 0xa3, 0x43f4, &router);

	(void)unused;
	desk_whole(&d);
	for (size_t n = 0; n < whole.n; n++) {
		struct note cut = whole;

		cut.n = n;
		assert_int_equal(ask(cut), R_ENIP_FRAME);
	}
	for (unsigned more = 1; more < 5; more++) {
		struct note longer = whole;

		longer.n += more;
		assert_int_equal(ask(longer), R_ENIP_FRAME);
	}
	for (size_t i = 0; i < 3; i++) { /* reserved: RSLinx leaves old bytes in them */
		struct note other = whole;
		size_t at = whole.n - router.n - 1 - 1 - 12 - 3 + i;

		assert_int_equal(other.b[at], 0);
		other.b[at] = 0x3d;
		assert_int_equal(ask(other), R_ALLOWED);
	}
	for (unsigned words = 0; words < 256; words++) {
		struct note other = whole;

		other.b[other.n - router.n - 1] = (uint8_t)words;
		assert_int_equal(ask(other), words == 3 ? R_ALLOWED : R_ENIP_FRAME);
	}
}

/* PostgreSQL's CancelRequest and a length of Kerberos begin like a message without an effect. */
static void nothing_of_others(void **state)
{
	static const uint8_t cancels[] = { 0, 0, 0, 0x10, 4, 0xd2, 0x16, 0x2e, 0, 0, 0, 1, 0, 0, 0, 2 };
	static const uint8_t asks[] = { 0, 0, 0, 0x0b, 0x6a, 0x81, 0xae };
	static const uint8_t nothing[24] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3 };
	struct enip_state s = { .session = SESSION_NONE };
	size_t n;

	(void)state;
	assert_int_equal(enip_enforcer.frame(&s, DIR_C2S, bytes_of(cancels, sizeof(cancels)), &n), FRAME_BAD);
	assert_int_equal(enip_enforcer.frame(&s, DIR_C2S, bytes_of(asks, sizeof(asks)), &n), FRAME_BAD);
	assert_int_equal(enip_enforcer.frame(&s, DIR_C2S, bytes_of(nothing, sizeof(nothing)), &n), FRAME_WHOLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_of_others),
		cmocka_unit_test(every_service_by_its_code),
		cmocka_unit_test(services_that_classes_share_a_number_of),
		cmocka_unit_test(lengths_agree),
		cmocka_unit_test(attributes_with_data),
		cmocka_unit_test(masks_and_counts),
		cmocka_unit_test(segments),
		cmocka_unit_test(odd_paths),
		cmocka_unit_test(objects_are_named),
		cmocka_unit_test(attribute_in_the_path_of_more),
		cmocka_unit_test(without_a_name),
		cmocka_unit_test(tags_are_named),
		cmocka_unit_test(members_of_an_instance),
		cmocka_unit_test(values_that_are_written),
		cmocka_unit_test(padded_writes),
		cmocka_unit_test(several_in_one),
		cmocka_unit_test(sent_on),
		cmocka_unit_test(pccc),
		cmocka_unit_test(outputs_and_inputs),
		cmocka_unit_test(openings_are_exact),
	};

	return cmocka_run_group_tests_name("enip", tests, NULL, NULL);
}
