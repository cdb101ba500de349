/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capture files, link headers, fragments, packet decoding: everything that replay reads before the
 * inspector.
 * LINK: mgmt/cli/replay/capture.c mgmt/cli/replay/link.c mgmt/cli/replay/defrag.c
 * LINK: dpi/decode.c appliance/base/bytes.c appliance/base/err.c appliance/base/addr.c
 * LINK: appliance/base/messages.c appliance/base/errno_text.c
 * LIBS: libpcap
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dpi/decode.h"
#include "mgmt/cli/replay/capture.h"
#include "mgmt/cli/replay/defrag.h"
#include "mgmt/cli/replay/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Decodes a copy of exactly its size, so that the sanitizer sees a read beyond the packet. */
static void decode(struct bytes ip)
{
	uint8_t *copy = malloc(ip.left ? ip.left : 1);
	struct decoded d;

	if (copy == NULL)
		abort();
	if (ip.left > 0)
		memcpy(copy, ip.p, ip.left);
	if (decode_packet(bytes_of(copy, ip.left), CHECKSUM_FLAG, &d) == R_NONE && d.payload.left > ip.left)
		abort();
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *f = size > 0 ? tmpfile() : NULL;
	struct capture *c;
	struct capture_frame frame;
	struct defrag *d;
	struct err e;

	if (f == NULL)
		return 0;
	fwrite(data, 1, size, f);
	rewind(f);
	c = capture_open(f, "input", LANG_EN, &e);
	if (c == NULL)
		return 0;
	d = defrag_new();
	if (d == NULL)
		abort();
	while (capture_next(c, &frame, &e) == CAPTURE_FRAME) {
		struct bytes whole;
		enum defrag_result r;

		if (!frame.has_ip)
			continue;
		r = defrag_packet(d, frame.ip, (struct mono){ .ns = frame.wall_ns }, &whole);
		if (r == DEFRAG_WHOLE || r == DEFRAG_DONE)
			decode(whole);
	}
	defrag_free(d);
	capture_close(c);
	return 0;
}
