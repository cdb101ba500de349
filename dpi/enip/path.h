/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Padded EPATHs: the object of a CIP request, and the route to it (The CIP Networks Library volume
 * 1, appendix C). A path is read whole or not at all: every segment has a meaning here, nothing is
 * left over, and pad bytes are 0. Part of the EtherNet/IP enforcer, used by nobody else. Pure.
 */
#ifndef SEKISHO_DPI_ENIP_PATH_H
#define SEKISHO_DPI_ENIP_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/operation.h"
#include "appliance/wire/tag.h"

#define CLASS_SYMBOL 0x6bu /* the class whose instances are tags */

/* levels of nested objects: controllers have at most task, program, routine */
#define PATH_OBJECTS 3u
#define PATH_POINTS 3u /* connection points: consumed and produced ones; in a request only one */

struct enip_object {
	uint16_t class;
	uint32_t instance;
	uint16_t attribute;
	bool has_instance, has_attribute;
};

struct enip_path {
	struct enip_object objects[PATH_OBJECTS]; /* from the outermost in */
	uint8_t n_objects;
	uint32_t points[PATH_POINTS];
	uint8_t n_points;
	bool has_tag;
	uint64_t tag; /* digest of the tag's whole name */
	/* digests of the names that the tag is a part of, the outermost first */
	uint64_t within[WITHIN_MAX];
	uint8_t n_within;
	uint32_t route;	    /* the first hop: port * 256 + link; 0: the device itself */
	bool far;	    /* the route has more hops, or a hop that this number cannot express */
	bool config;	    /* the path contains configuration data */
	struct bytes whole; /* the whole path, borrowed */
};

/* Reads the path of a request: objects, or a tag with its elements, or a tag by its instance with
 * members by name. False: it is not such a path. */
bool enip_path_request(struct bytes b, struct enip_path *ret);
/* Reads the path of a connection: hops, an electronic key, objects with connection points, and the
 * other segments that a Forward Open may carry. */
bool enip_path_connection(struct bytes b, struct enip_path *ret);
/* Reads a path that has only hops. */
bool enip_path_route(struct bytes b, struct enip_path *ret);
/* Writes the name of the tag in a path that one of the above has read. False: the path names
 * no tag. */
bool enip_path_spell(struct bytes b, char out[TAG_MAX + 1u]);

#endif
