/* SPDX-License-Identifier: Apache-2.0 */
/* Operations as they are read out of one message, in cip.c, data.c and connect.c. Part of the EtherNet/IP enforcer. */
#ifndef SEKISHO_DPI_ENIP_BUILD_H
#define SEKISHO_DPI_ENIP_BUILD_H

#include "dpi/enip/cip.h"
#include "dpi/enip/words.h"

struct build {
	struct parsed *p;
	struct cip_way way;
	uint8_t group;
	bool crowded; /* more operations than there is room for */
};

/* One request: its path is read, its data is what follows. */
struct cip_request {
	uint8_t service;
	uint32_t code;
	struct enip_path path;
	struct bytes data;
};

/* One more operation of the group, NULL when there is no room. */
struct operation *build_add(struct build *b, uint32_t code);
/* Its place: attributes first to last of an object; what the path leaves out is all of it. */
void build_place(struct operation *o, const struct enip_object *object, uint32_t first, uint32_t last);
/* ... or a tag. */
void build_place_tag(struct operation *o, const struct enip_path *path);
/* The operations of a request whose data this module knows. False: its data do not fit. */
bool build_request(struct build *b, const struct cip_request *r);
/* Forward Open and Forward Close. */
bool build_opening(struct build *b, const struct cip_request *r, struct cip_asked *ret);
bool build_closing(struct build *b, const struct cip_request *r, struct cip_asked *ret);
/* Execute PCCC: a command of controllers before Logix. */
bool build_pccc(struct build *b, const struct cip_request *r);

#endif
