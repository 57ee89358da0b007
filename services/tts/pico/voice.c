/* Text goes in, 16 kHz mono samples and the position of every <mark/> come out: SVOX Pico for one voice.
 *
 * Built to WebAssembly by build.py; pico_engine.py drives it. One instance speaks one utterance.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "picoapi.h"
#include "picodata.h"

#define EXPORT(name) __attribute__((export_name(#name))) name

enum { ENGINE_BYTES = 3 << 20, PCM_BYTES = 16384, MAX_MARKS = 1024, MAX_FRAMES = 1 << 16 };

static pico_System pico;
static pico_Engine engine;
static const char *unread;
static int32_t unread_bytes;
static char pcm[PCM_BYTES];

/* Where each mark was when it left the last stage, counted in samples; -1 where it never came. */
static int32_t marks[MAX_MARKS];
/* The phone of every frame, as numbered by the voice. */
static uint8_t phones[MAX_FRAMES];
static int32_t frames, samples_spoken;

pico_status_t unobserved_cbPutItem(picodata_CharBuffer, const picoos_uint8 *, picoos_uint16,
                                        picoos_uint16 *);

/* Every item that a stage hands to the next passes here (build.py renames the original). */
pico_status_t picodata_cbPutItem(picodata_CharBuffer buffer, const picoos_uint8 *item,
                                        picoos_uint16 bytes, picoos_uint16 *written) {
    pico_status_t status = unobserved_cbPutItem(buffer, item, bytes, written);
    if (status != PICO_OK) {
        return status;
    }
    if (item[0] == PICODATA_ITEM_FRAME_PAR && frames < MAX_FRAMES) {
        phones[frames++] = item[PICODATA_ITEM_HEADSIZE];
    } else if (item[0] == PICODATA_ITEM_FRAME) {
        samples_spoken += item[3] / 2;
    } else if (item[0] == PICODATA_ITEM_CMD && item[1] == PICODATA_ITEMINFO1_CMD_MARKER) {
        int32_t number = 0;
        for (int i = 0; i < item[3] && item[PICODATA_ITEM_HEADSIZE + i] >= '0'; i++) {
            number = number * 10 + item[PICODATA_ITEM_HEADSIZE + i] - '0';
        }
        if (number < MAX_MARKS) {
            marks[number] = samples_spoken;
        }
    }
    return status;
}

int32_t EXPORT(load_voice)(const char *analysis_path, const char *signal_path) {
    static char memory[ENGINE_BYTES];
    const pico_Char *name = (const pico_Char *)"voice";
    pico_Char resource_name[PICO_MAX_RESOURCE_NAME_SIZE];
    const char *paths[] = {analysis_path, signal_path};
    pico_Status status = pico_initialize(memory, ENGINE_BYTES, &pico);
    if (status == PICO_OK) {
        status = pico_createVoiceDefinition(pico, name);
    }
    for (int i = 0; i < 2 && status == PICO_OK; i++) {
        pico_Resource resource;
        status = pico_loadResource(pico, (const pico_Char *)paths[i], &resource);
        if (status == PICO_OK) {
            status = pico_getResourceName(pico, resource, (char *)resource_name);
        }
        if (status == PICO_OK) {
            status = pico_addResourceToVoiceDefinition(pico, name, resource_name);
        }
    }
    return status == PICO_OK ? pico_newEngine(pico, name, &engine) : status;
}

/* Memory for a NUL-terminated text of that many bytes. */
char *EXPORT(text_memory)(int32_t bytes) { return malloc(bytes); }

/* `bytes` counts the NUL, which makes the engine speak what it holds back. */
void EXPORT(begin)(const char *text, int32_t bytes) {
    unread = text;
    unread_bytes = bytes;
    memset(marks, -1, sizeof marks);
    frames = samples_spoken = 0;
}

/* Speaks on: the bytes of new samples in samples(); 0 when all is said; below 0, the engine's error.
 * A sentence with more in it than the engine's buffers hold keeps it here: the caller gives it limited fuel. */
int32_t EXPORT(speak_on)(void) {
    int32_t filled = 0;
    static int busy = 0;
    while (filled < PCM_BYTES - 256) {
        if (!busy) {
            pico_Int16 taken = 0;
            pico_Int16 offered = unread_bytes < 16384 ? unread_bytes : 16384;
            if (offered == 0) {
                break;
            }
            pico_Status status = pico_putTextUtf8(engine, (const pico_Char *)unread, offered, &taken);
            if (status != PICO_OK) {
                return status;
            }
            unread += taken;
            unread_bytes -= taken;
        }
        pico_Int16 received = 0, type = 0;
        pico_Status status = pico_getData(engine, pcm + filled, 256, &received, &type);
        filled += received;
        if (status != PICO_STEP_BUSY && status != PICO_STEP_IDLE) {
            return status < 0 ? status : -1;
        }
        busy = status == PICO_STEP_BUSY;
    }
    return filled;
}

const char *EXPORT(samples)(void) { return pcm; }
const int32_t *EXPORT(mark_samples)(void) { return marks; }
const uint8_t *EXPORT(frame_phones)(void) { return phones; }
int32_t EXPORT(frame_count)(void) { return frames; }
