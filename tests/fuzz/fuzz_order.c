/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of an order about the policy, as a browser posts it. What is accepted fits the message
 * that carries it. What goes along is something that the supervisor can read: a bundle of texts, or
 * names of interfaces, each with a NUL.
 *
 * LINK: mgmt/web/order.c mgmt/web/login.c $(WIRE_SRC) appliance/base/bundle.c
 * LINK: appliance/base/memfd.c appliance/base/err.c appliance/base/json.c appliance/base/bytes.c
 * LINK: appliance/base/addr.c appliance/base/utf8.c appliance/base/sha256.c
 * LIBS: jansson nettle
 */
#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/bundle.h"
#include "appliance/base/memfd.h"
#include "mgmt/web/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void texts(struct bytes b)
{
	struct bytes name, text;
	uint32_t n = 0;

	assert(bundle_head(&b, &n) && n > 0);
	for (uint32_t i = 0; i < n; i++) {
		assert(bundle_next(&b, &name, &text));
		assert(name.left > 0 && memchr(name.p, 0, name.left) == NULL);
		assert(text.left == 0 || memchr(text.p, 0, text.left) == NULL);
	}
	assert(b.left == 0);
}

static void names(struct bytes b)
{
	assert(b.left > 0 && b.p[b.left - 1] == 0 && b.p[0] != 0);
	for (size_t i = 1; i < b.left; i++)
		assert(b.p[i] != 0 || b.p[i - 1] != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size > 0 ? size : 1), *sent = NULL;
	struct change_request r;
	struct err e;
	size_t n;

	assert(exact != NULL);
	memcpy(exact, data, size);
	if (change_read(exact, size, &r) == CHANGE_READ) {
		bool wants = r.order.order == CHANGE_SAVE || r.order.order == CHANGE_CHECK;

		assert(r.order.order < CHANGE_ORDERS && r.order.confirm_s <= CONFIRM_MOST);
		assert((r.order.flags & ~(APPLY_DRY_RUN | APPLY_TAKE_OVER)) == 0);
		assert(r.order.comment == r.comment && strlen(r.comment) <= COMMENT_MOST && (!wants || r.fd >= 0));
		if (r.fd >= 0) {
			assert(memfd_read(r.fd, 16u << 20, &sent, &n, &e) == 0);
			if (wants)
				texts(bytes_of(sent, n));
			else
				names(bytes_of(sent, n));
			free(sent);
		}
	}
	if (r.fd >= 0)
		close(r.fd);
	free(exact);
	return 0;
}
