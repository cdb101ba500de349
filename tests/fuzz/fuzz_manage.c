/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of an order about another person's account, and of one about one's own passphrase, as a
 * browser posts them. What is accepted consists of the lines that `accounts` reads, one for each
 * thing, names existing roles only, and does not say who gives the order.
 *
 * LINK: mgmt/web/order.c mgmt/web/login.c $(WIRE_SRC) appliance/base/bundle.c
 * LINK: appliance/base/memfd.c appliance/base/err.c appliance/base/json.c appliance/base/bytes.c
 * LINK: appliance/base/addr.c appliance/base/utf8.c appliance/base/sha256.c
 * LIBS: jansson nettle
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/duty.h"
#include "appliance/wire/orders.h"
#include "mgmt/web/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void roles(const char *list)
{
	char word[64];

	assert(*list != '\0');
	for (const char *at = list; at != NULL; at = strchr(at, ',') != NULL ? strchr(at, ',') + 1 : NULL) {
		size_t n = strcspn(at, ",");

		assert(n > 0 && n < sizeof(word));
		memcpy(word, at, n);
		word[n] = '\0';
		assert(duty_by_word(word) != DUTY_COUNT);
	}
}

static void order(const struct msg_manage *m, const char *text)
{
	bool who = m->order == MANAGE_ADD || m->order == MANAGE_CHANGE;
	json_t *said = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *v;
	const char *key;

	assert(m->order < MANAGE_ORDERS && m->text == text && strlen(text) <= MANAGE_TEXT);
	assert(json_is_object(said) && json_string_length(json_object_get(said, "name")) > 0);
	assert(who == (json_object_get(said, "roles") != NULL) && who == (json_object_get(said, "full_name") != NULL));
	assert(json_object_get(said, "password") == NULL);
	json_object_foreach(said, key, v) {
		assert(json_is_string(v) && strlen(json_string_value(v)) == json_string_length(v));
		for (const char *c = json_string_value(v); *c != '\0'; c++)
			assert((unsigned char)*c >= 0x20 && *c != 0x7f);
	}
	if (who)
		roles(json_string_value(json_object_get(said, "roles")));
	json_decref(said);
	for (size_t i = 0; i < sizeof(m->secret); i++)
		assert(m->secret[i] == 0);
	assert(m->family == 0);
}

/* Behind the end of a passphrase there are only zeros. */
static void phrase(const uint8_t p[LOGIN_PHRASE])
{
	for (size_t i = strnlen((const char *)p, LOGIN_PHRASE); i < LOGIN_PHRASE; i++)
		assert(p[i] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size > 0 ? size : 1);
	char text[ORDER_TEXT];
	struct msg_body q;

	assert(exact != NULL);
	memcpy(exact, data, size);
	if (manage_read(exact, size, &q, text)) {
		order(&q.manage, text);
		phrase(q.manage.phrase);
	} else {
		assert(*text == '\0');
	}
	if (passphrase_read(exact, size, &q, text)) {
		phrase(q.passphrase.phrase);
		phrase(q.passphrase.fresh);
	}
	free(exact);
	return 0;
}
