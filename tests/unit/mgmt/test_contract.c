/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares docs/openapi.json with the tables by which the program answers: the same routes, with
 * the same rights, words and limits. tests/netns/contract checks the answers themselves.
 *
 * LINK: mgmt/web/api/%.c mgmt/web/pages/page.c build/ui/files.c mgmt/state/%.c mgmt/words/%.c
 * LINK: mgmt/picture/%.c mgmt/cli/screen/wrap.c
 * LINK: dpi/%/words.c appliance/control/at_machine.c $(WIRE_SRC) $(BASE_SRC)
 * LIBS: jansson nettle gnutls
 */
#include "appliance/control/at_machine.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "appliance/base/bundle.h"
#include "appliance/base/json.h"
#include "appliance/wire/duty.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/orders.h"
#include "appliance/wire/said.h"
#include "mgmt/web/api/routes.h"
#include "mgmt/web/pages/page.h"

static json_t *document;

static json_t *at(json_t *from, const char *key)
{
	json_t *v = json_object_get(from, key);

	if (v == NULL)
		fail_msg("docs/openapi.json lacks \"%s\"", key);
	return v;
}

static json_t *schema(const char *name)
{
	return at(at(at(document, "components"), "schemas"), name);
}

static json_t *operation(const char *path, const char *method)
{
	return at(at(at(document, "paths"), path), method);
}

static bool lists(const json_t *list, const char *word)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v) {
		if (strcmp(json_string_value(v), word) == 0)
			return true;
	}
	return false;
}

static void test_paths(void **state)
{
	/* the routes for the present login, and for what a security key has to sign */
	size_t n = 2;

	(void)state;
	for (size_t i = 0; route_at(i) != NULL; i++, n++)
		assert_string_equal(json_string_value(at(operation(route_at(i)->path, "get"), "x-right")),
				    right_word(route_at(i)->right));
	for (size_t i = 0; route_posted_at(i) != NULL; i++, n++)
		operation(route_posted_at(i), "post");
	for (size_t i = 0; i < page_count(); i++, n++) {
		json_t *o = operation(page_at(i)->path, "get");

		assert_int_equal(json_array_size(at(o, "security")), 0);
		assert_non_null(json_object_get(at(at(at(o, "responses"), "200"), "content"), page_at(i)->type));
	}
	operation(GET_ME, "get");
	operation(GET_CHALLENGE, "get");
	assert_int_equal(json_object_size(at(document, "paths")), n);
}

/* Each route has one method; all routes refuse the other methods in the same way. */
static void test_methods(void **state)
{
	const char *path;
	json_t *v;

	(void)state;
	json_object_foreach(at(document, "paths"), path, v) {
		assert_int_equal(json_object_size(v), 1);
		assert_non_null(json_object_get(v, route_is_posted(path) ? "post" : "get"));
	}
}

static void test_types(void **state)
{
	(void)state;
	for (size_t i = 0; route_at(i) != NULL; i++) {
		const struct route_form *form = route_at(i)->form;
		json_t *content = at(at(at(operation(route_at(i)->path, "get"), "responses"), "200"), "content");
		const char *type = form != NULL ? form->type : "application/json";

		assert_non_null(
			json_object_get(content, route_at(i)->kind != ROUTE_STREAM ? type : "text/event-stream"));
	}
}

static void test_rights(void **state)
{
	json_t *roles = at(document, "x-roles"), *orders = at(operation(POST_CHANGE, "post"), "x-rights");

	(void)state;
	assert_int_equal(json_object_size(roles), DUTY_COUNT);
	for (unsigned d = 0; d < DUTY_COUNT; d++) {
		json_t *list = at(roles, duty_word((enum duty)d));
		size_t n = 0;

		for (unsigned r = 0; r < RIGHT_COUNT; r++) {
			assert_int_equal(lists(list, right_word((enum right)r)),
					 duty_may(UINT32_C(1) << d, (enum right)r));
			n += duty_may(UINT32_C(1) << d, (enum right)r);
		}
		assert_int_equal(json_array_size(list), n);
		assert_true(lists(at(schema("Role"), "enum"), duty_word((enum duty)d)));
	}
	assert_int_equal(json_array_size(at(schema("Right"), "enum")), RIGHT_COUNT);
	assert_int_equal(json_object_size(orders), CHANGE_ORDERS);
	for (unsigned o = 0; o < CHANGE_ORDERS; o++) {
		assert_string_equal(json_string_value(at(orders, change_word((enum change_order)o))),
				    right_word(change_right((enum change_order)o)));
		assert_true(lists(at(at(at(schema("Order"), "properties"), "order"), "enum"),
				  change_word((enum change_order)o)));
	}
}

/* Orders about the records, and their limits. */
static void test_records(void **state)
{
	json_t *orders = at(operation(POST_RECORDS, "post"), "x-rights"), *p = at(schema("RecordsOrder"), "properties");

	(void)state;
	assert_int_equal(json_object_size(orders), RECORDS_ORDERS);
	assert_int_equal(json_array_size(at(at(p, "order"), "enum")), RECORDS_ORDERS);
	for (unsigned o = 0; o < RECORDS_ORDERS; o++) {
		assert_string_equal(json_string_value(at(orders, records_word((enum records_order)o))),
				    right_word(records_right((enum records_order)o)));
		assert_true(lists(at(at(p, "order"), "enum"), records_word((enum records_order)o)));
	}
	assert_int_equal(json_integer_value(at(at(p, "note"), "maxLength")), REVIEW_NOTE);
	assert_int_equal(json_integer_value(at(at(p, "reason"), "maxLength")), HOLD_REASON);
}

/* Orders about accounts: all of them need the same right. */
static void test_account_orders(void **state)
{
	json_t *p = at(schema("AccountOrder"), "properties"), *own = at(schema("PassphraseOrder"), "properties");

	(void)state;
	assert_string_equal(json_string_value(at(operation(POST_ACCOUNT, "post"), "x-right")),
			    right_word(RIGHT_ACCOUNTS));
	assert_int_equal(json_array_size(at(at(p, "order"), "enum")), MANAGE_ORDERS);
	for (unsigned o = 0; o < MANAGE_ORDERS; o++)
		assert_true(lists(at(at(p, "order"), "enum"), manage_word((enum manage_order)o)));
	assert_int_equal(json_integer_value(at(at(p, "label"), "maxLength")), LOGIN_LABEL);
	assert_int_equal(json_integer_value(at(at(p, "password"), "maxLength")), LOGIN_PHRASE);
	assert_int_equal(json_integer_value(at(at(own, "password"), "maxLength")), LOGIN_PHRASE);
	assert_int_equal(json_integer_value(at(at(own, "new"), "maxLength")), LOGIN_PHRASE);
}

static json_int_t bound(json_t *properties, const char *key, const char *which)
{
	return json_integer_value(at(at(properties, key), which));
}

static void test_bounds(void **state)
{
	json_t *order = at(schema("Order"), "properties"), *login = at(schema("Login"), "properties"),
	       *key = at(schema("KeyOrder"), "properties");

	(void)state;
	assert_int_equal(bound(order, "comment", "maxLength"), COMMENT_MOST);
	assert_int_equal(bound(order, "confirm_s", "maximum"), CONFIRM_MOST);
	assert_int_equal(bound(order, "texts", "maxItems"), BUNDLE_TEXTS_MAX);
	assert_int_equal(bound(login, "name", "maxLength"), LOGIN_NAME);
	assert_int_equal(bound(login, "password", "maxLength"), LOGIN_PHRASE);
	assert_int_equal(bound(login, "code", "maxLength"), LOGIN_CODE);
	assert_int_equal(bound(login, "key", "maxLength"), WEBAUTHN_TEXT);
	assert_int_equal(bound(key, "label", "maxLength"), LOGIN_LABEL);
	assert_int_equal(bound(key, "password", "maxLength"), LOGIN_PHRASE);
	assert_int_equal(bound(key, "key", "maxLength"), WEBAUTHN_TEXT);
}

/* Every text for people exists in both languages. */
static void both_languages(json_t *v)
{
	const char *key;
	json_t *inner;
	size_t i;

	if (json_is_string(json_object_get(v, "description"))) {
		const char *ja = json_string_value(at(v, "x-description-ja"));
		bool japanese = false;

		for (const char *c = ja; *c != '\0'; c++)
			japanese |= (unsigned char)*c >= 0xe3;
		if (!japanese)
			fail_msg("not Japanese: %s", ja);
	}
	json_object_foreach(v, key, inner) {
		both_languages(inner);
	}
	json_array_foreach(v, i, inner) {
		both_languages(inner);
	}
}

static void test_languages(void **state)
{
	(void)state;
	both_languages(document);
}

/* The program serves this file, and every name to which the file refers exists in it. */
static void references(json_t *v)
{
	const char *key, *to = json_string_value(json_object_get(v, "$ref"));
	json_t *inner;
	size_t i;

	if (to != NULL) {
		json_t *found = document;
		char part[64];

		assert_int_equal(strncmp(to, "#/", 2), 0);
		for (to += 2; *to != '\0'; to += strcspn(to, "/"), to += *to == '/') {
			snprintf(part, sizeof(part), "%.*s", (int)strcspn(to, "/"), to);
			found = at(found, part);
		}
	}
	json_object_foreach(v, key, inner) {
		references(inner);
	}
	json_array_foreach(v, i, inner) {
		references(inner);
	}
}

static void test_references(void **state)
{
	(void)state;
	references(document);
}

/* The rights (one bit each) that orders at the machine ask for: of every message, and of every
 * order that a message may contain. */
static uint32_t asked_at_machine(void)
{
	uint32_t asked = 0;

	for (unsigned t = 0; t < MSG_TYPE_COUNT; t++)
		for (unsigned o = 0; o <= UINT8_MAX; o++) {
			struct msg_body b = { .type = (enum msg_type)t };
			enum right r;

			if (t == MSG_HOLD)
				b.hold.order = (uint8_t)o;
			else if (t == MSG_DEVICES)
				b.devices.order = (uint8_t)o;
			else if (t == MSG_CTL_USER)
				b.ctl_user.order = (uint8_t)o;
			r = at_machine_right(&b);
			asked |= r != RIGHT_COUNT ? UINT32_C(1) << r : 0;
		}
	return asked;
}

/* Every right is used: by a route, an order over the web, or a question at the machine. A right
 * that nothing uses would be a false promise. */
static void test_every_right_is_asked_for(void **state)
{
	uint32_t asked = asked_at_machine() | UINT32_C(1) << MANAGE_RIGHT;

	(void)state;
	for (size_t i = 0; route_at(i) != NULL; i++)
		asked |= UINT32_C(1) << route_at(i)->right;
	for (unsigned o = 0; o < CHANGE_ORDERS; o++)
		asked |= UINT32_C(1) << change_right((enum change_order)o);
	for (unsigned o = 0; o < RECORDS_ORDERS; o++)
		asked |= UINT32_C(1) << records_right((enum records_order)o);
	for (unsigned r = 0; r < RIGHT_COUNT; r++)
		if ((asked >> r & 1u) == 0)
			fail_msg("nothing asks for the right %s", right_word(r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),	   cmocka_unit_test(test_methods),
		cmocka_unit_test(test_types),	   cmocka_unit_test(test_rights),
		cmocka_unit_test(test_records),	   cmocka_unit_test(test_account_orders),
		cmocka_unit_test(test_bounds),	   cmocka_unit_test(test_languages),
		cmocka_unit_test(test_references), cmocka_unit_test(test_every_right_is_asked_for),
	};
	const struct page *served = page_find("/api/v1/openapi.json");
	int r;

	document = served != NULL ? json_loadb(served->bytes, *served->size, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (document == NULL) {
		fprintf(stderr, "the document is not served, or is no JSON\n");
		return 1;
	}
	r = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(document);
	return r;
}
