/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of an order about the records, the devices or alarms of attacks, as a browser posts it.
 * An accepted order fits into its message with its text, and the supervisor reads the same order.
 *
 * LINK: mgmt/web/order.c mgmt/web/login.c $(WIRE_SRC) appliance/base/bundle.c
 * LINK: appliance/base/memfd.c appliance/base/err.c appliance/base/json.c appliance/base/bytes.c
 * LINK: appliance/base/addr.c appliance/base/utf8.c appliance/base/sha256.c
 * LIBS: jansson nettle
 */
#include <assert.h>
#include <string.h>

#include "mgmt/web/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sound(const struct msg_records *m, const char *text)
{
	bool about_devices = m->order == RECORDS_ACCEPT || m->order == RECORDS_FORGET;

	assert(m->order < RECORDS_ORDERS && m->text == text && m->findings <= 1 && m->all <= 1);
	assert(strlen(text) <= (m->order == RECORDS_REVIEW ? REVIEW_NOTE : HOLD_REASON));
	for (const char *c = text; *c != '\0'; c++)
		assert((unsigned char)*c >= 0x20 && *c != 0x7f);
	/* Only a review without findings may have no text. */
	assert(*text != '\0' || (m->order == RECORDS_REVIEW && m->findings == 0));
	assert(m->until <= HOLD_OPEN && (m->all == 0 || about_devices));
	assert(m->number != 0 ||
	       (m->order != RECORDS_LIFT && m->order != RECORDS_ACKNOWLEDGE && m->order != RECORDS_SILENCE));
	assert((m->silent_s != 0) == (m->order == RECORDS_SILENCE) && m->silent_s <= ATTACK_SILENT_MOST);
	/* The body of the request does not name the person. */
	for (size_t i = 0; i < sizeof(m->secret); i++)
		assert(m->secret[i] == 0);
	assert(m->family == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size > 0 ? size : 1);
	char text[ORDER_TEXT];
	struct msg_body q;

	assert(exact != NULL);
	memcpy(exact, data, size);
	if (records_read(exact, size, &q, text))
		sound(&q.records, text);
	free(exact);
	return 0;
}
