/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders as a browser sends them: a valid one becomes a message and a bundle, an invalid one
 * becomes neither.
 *
 * LINK: mgmt/web/order.c mgmt/web/login.c $(WIRE_SRC) appliance/base/bundle.c
 * LINK: appliance/base/bytes.c
 * LINK: appliance/base/json.c appliance/base/addr.c appliance/base/sha256.c
 * LINK: appliance/base/memfd.c appliance/base/err.c appliance/base/utf8.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/bundle.h"
#include "mgmt/web/order.h"

static enum change_read take(const char *text, struct change_request *r)
{
	return change_read((const uint8_t *)text, strlen(text), r);
}

static void orders_are_read(void **state)
{
	struct change_request r;
	uint8_t *p;
	struct err e;
	size_t n;

	(void)state;
	assert_int_equal(take("{\"order\":\"apply\",\"revision\":7,\"confirm_s\":60,\"take_over\":true,\"comment\":"
			      "\"港\",\"take\":[\"eth0\",\"b\"]}",
			      &r),
			 CHANGE_READ);
	assert_int_equal(r.order.order, CHANGE_APPLY);
	assert_int_equal(r.order.revision, 7);
	assert_int_equal(r.order.confirm_s, 60);
	assert_int_equal(r.order.flags, APPLY_TAKE_OVER);
	assert_string_equal(r.order.comment, "港");
	assert_int_equal(memfd_read(r.fd, 100, &p, &n, &e), 0);
	assert_int_equal(n, 7);
	assert_memory_equal(p, "eth0\0b", 7);
	free(p);
	close(r.fd);
	for (unsigned o = 0; o < CHANGE_ORDERS; o++) {
		char text[100];
		bool texts = o == CHANGE_SAVE || o == CHANGE_CHECK;

		snprintf(text, sizeof(text), "{\"order\":\"%s\"%s}", change_word((enum change_order)o),
			 texts			  ? ",\"texts\":[{\"name\":\"a\",\"text\":\"\"}]"
			 : change_names_object(o) ? ",\"object\":\"asset rtg07\""
						  : "");
		assert_int_equal(take(text, &r), CHANGE_READ);
		assert_int_equal(r.order.order, o);
		assert_int_equal(r.fd >= 0, texts);
		if (r.fd >= 0)
			close(r.fd);
	}
}

/* An order that opens a door states who comes in, the ticket, and the duration; other orders must
 * not. */
static void a_door_has_its_words(void **state)
{
	struct change_request r;

	(void)state;
	assert_int_equal(
		take("{\"order\":\"open\",\"object\":\"gate\",\"for_s\":7200,\"person\":\"田中\",\"ticket\":\"4711\"}",
		     &r),
		CHANGE_READ);
	assert_int_equal(r.order.confirm_s, 7200);
	assert_string_equal((const char *)r.order.person, "田中");
	assert_string_equal((const char *)r.order.ticket, "4711");
	assert_int_equal(take("{\"order\":\"open\",\"object\":\"gate\",\"for_s\":86401}", &r), CHANGE_NO_ORDER);
	assert_int_equal(take("{\"order\":\"open\",\"object\":\"gate\",\"ticket\":\"a\\nb\"}", &r), CHANGE_NO_ORDER);
	assert_int_equal(take("{\"order\":\"open\",\"for_s\":60}", &r), CHANGE_NO_ORDER);
	assert_int_equal(take("{\"order\":\"shut\",\"object\":\"gate\",\"for_s\":60}", &r), CHANGE_NO_ORDER);
	assert_int_equal(take("{\"order\":\"isolate\",\"object\":\"zone a\",\"person\":\"x\"}", &r), CHANGE_NO_ORDER);
}

static void texts_become_a_bundle(void **state)
{
	struct change_request r;
	struct bytes b, name, text;
	uint32_t count;
	uint8_t *p;
	struct err e;
	size_t n;

	(void)state;
	assert_int_equal(take("{\"order\":\"save\",\"texts\":[{\"name\":\"site.cfg\",\"text\":\"a\\nb\"},{\"name\":"
			      "\"box.cfg\",\"text\":\"\"}]}",
			      &r),
			 CHANGE_READ);
	assert_int_equal(memfd_read(r.fd, 1000, &p, &n, &e), 0);
	b = bytes_of(p, n);
	assert_true(bundle_head(&b, &count) && count == 2);
	assert_true(bundle_next(&b, &name, &text) && name.left == 8 && text.left == 3);
	assert_true(bundle_next(&b, &name, &text) && name.left == 7 && text.left == 0);
	assert_int_equal(b.left, 0);
	free(p);
	close(r.fd);
}

/* The order is cut anywhere, or has any byte changed: it is an order or none, and there is a
 * descriptor only with an order. */
static void every_cut_and_change_is_bounded(void **state)
{
	static const char good[] = "{\"order\":\"save\",\"base\":3,\"texts\":[{\"name\":\"x\",\"text\":\"y\"}]}";
	struct change_request r;
	char text[sizeof(good)];

	(void)state;
	for (size_t n = 0; n < sizeof(good) - 1; n++) {
		assert_int_equal(change_read((const uint8_t *)good, n, &r), CHANGE_NO_ORDER);
		assert_int_equal(r.fd, -1);
		for (unsigned v = 0; v < 256; v++) {
			enum change_read found;

			memcpy(text, good, sizeof(good));
			text[n] = (char)v;
			found = change_read((const uint8_t *)text, sizeof(good) - 1, &r);
			assert_int_equal(found == CHANGE_READ, r.fd >= 0);
			if (r.fd >= 0)
				close(r.fd);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_are_read),
		cmocka_unit_test(a_door_has_its_words),
		cmocka_unit_test(texts_become_a_bundle),
		cmocka_unit_test(every_cut_and_change_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
