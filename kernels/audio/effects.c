/* The parts of the mixer that are slowest in numpy, as a Python module: delay lines, filters, and the room.
 *
 * Products and sums are separate instructions (-ffp-contract=off), in the order of numpy, so that `read` returns the same
 * samples as its reference. Compilers vectorize the loops over adjacent frames.
 * Reference: radio/audio/delay_line.py, block_filters.py and room.py. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

/* ---- a delay line ---- */

enum { CHUNK = 64, TAPS = 6, BEFORE = 2, AFTER = 3 }; /* places at a time; frames needed around a place */

/* Compute the frame before each place, and the weights of the frames around it (Lagrange). Return 0 if a place lies
 * outside the line. */
static int weigh(const double *places, const int64_t *latest, int count, int64_t frames, int64_t *at,
                 float weights[TAPS][CHUNK]) {
    float fraction[CHUNK];
    for (int i = 0; i < count; i++) {
        if (!(places[i] >= BEFORE && places[i] < (double)frames)) return 0; /* also NaN */
        at[i] = (int64_t)places[i];
        if (latest && at[i] > latest[i] - AFTER) at[i] = latest[i] - AFTER;
        if (at[i] < BEFORE || at[i] + AFTER >= frames) return 0;
        fraction[i] = (float)(places[i] - (double)at[i]);
    }
    for (int i = 0; i < count; i++) {
        float u = fraction[i], a = u + 2, b = u + 1, d = u - 1, e = u - 2, f = u - 3;
        float low = a * b * u, high = d * e * f;
        weights[0][i] = b * u * high / -120;
        weights[1][i] = a * u * high / 24;
        weights[2][i] = a * b * high / -12;
        weights[3][i] = low * e * f / 12;
        weights[4][i] = low * d * f / -24;
        weights[5][i] = low * d * e / 120;
    }
    return 1;
}

static int read_line(const float *line, int channels, int64_t frames, const double *places, const int64_t *latest,
                     int64_t count, float *y) {
    float weights[TAPS][CHUNK];
    int64_t at[CHUNK];
    for (int64_t first = 0; first < count; first += CHUNK) {
        int part = count - first < CHUNK ? (int)(count - first) : CHUNK;
        if (!weigh(places + first, latest ? latest + first : NULL, part, frames, at, weights)) return 0;
        for (int channel = 0; channel < channels; channel++) {
            const float *from = line + channel * frames - BEFORE;
            float *to = y + channel * count + first;
            for (int i = 0; i < part; i++) {
                float value = 0;
                for (int tap = 0; tap < TAPS; tap++) value += weights[tap][i] * from[at[i] + tap];
                to[i] = value;
            }
        }
    }
    return 1;
}

/* ---- filters ---- */

enum { ROWS = 4, MOST_SECTIONS = 16 }; /* rows filtered in parallel; maximum sections of a filter */

static const double TINY = 1e-20; /* added to states: denormals in digital silence slow the processor down */

typedef double quad __attribute__((vector_size(8 * ROWS)));

struct section {
    quad b0, b1, b2, a1, a2, first, second; /* coefficients, and the states of the transposed direct form II */
};

/* Filter up to ROWS rows of CHUNK frames in place. */
static void run_section(struct section *section, double frames[CHUNK][ROWS], int length) {
    const quad b0 = section->b0, b1 = section->b1, b2 = section->b2, a1 = section->a1, a2 = section->a2;
    quad first = section->first, second = section->second;
    for (int i = 0; i < length; i++) {
        quad value, output;
        memcpy(&value, frames[i], sizeof value);
        output = b0 * value + first;
        first = b1 * value + second - a1 * output;
        second = b2 * value - a2 * output;
        memcpy(frames[i], &output, sizeof output);
    }
    section->first = first;
    section->second = second;
}

/* Load the coefficients (rows, sections, 5) and states (rows, sections, 2) of some rows into sections. */
static void load_sections(struct section *sections, int count, const double *coefficients, const double *states,
                          int rows) {
    memset(sections, 0, (size_t)count * sizeof *sections);
    for (int index = 0; index < count; index++)
        for (int row = 0; row < rows; row++) {
            const double *c = coefficients + 5 * (row * count + index), *state = states + 2 * (row * count + index);
            struct section *s = &sections[index];
            s->b0[row] = c[0], s->b1[row] = c[1], s->b2[row] = c[2], s->a1[row] = c[3], s->a2[row] = c[4];
            s->first[row] = state[0], s->second[row] = state[1];
        }
}

static void store_states(const struct section *sections, int count, double *states, int rows) {
    for (int index = 0; index < count; index++)
        for (int row = 0; row < rows; row++) {
            states[2 * (row * count + index)] = sections[index].first[row] + TINY;
            states[2 * (row * count + index) + 1] = sections[index].second[row] + TINY;
        }
}

static void filter(const float *x, float *y, const double *coefficients, double *states, int rows, int count,
                   int64_t length) {
    struct section sections[MOST_SECTIONS];
    double frames[CHUNK][ROWS] = {{0}};
    for (int first = 0; first < rows; first += ROWS) {
        int some = rows - first < ROWS ? rows - first : ROWS;
        load_sections(sections, count, coefficients + 5 * first * count, states + 2 * first * count, some);
        for (int64_t start = 0; start < length; start += CHUNK) {
            int part = length - start < CHUNK ? (int)(length - start) : CHUNK;
            for (int row = 0; row < some; row++)
                for (int i = 0; i < part; i++) frames[i][row] = x[(first + row) * length + start + i];
            for (int index = 0; index < count; index++) run_section(&sections[index], frames, part);
            for (int row = 0; row < some; row++)
                for (int i = 0; i < part; i++) y[(first + row) * length + start + i] = (float)frames[i][row];
        }
        store_states(sections, count, states + 2 * first * count, some);
    }
}

/* ---- a room ---- */

enum { LINES = 8, STEP = 960, PAST = 7 }; /* delay lines; frames at a time; earlier frames that the damping needs */

struct room {
    float *lines; /* (LINES, past + block): the past input of each line, then the block */
    const int32_t *delays;
    const float *gains, *inputs, *damping; /* damping: the pole of the low-pass, to the powers of 1, 2 and 4 */
    int64_t past, block;
};

/* damped = gain · (1 + p z⁻¹)(1 + p² z⁻²)(1 + p⁴ z⁻⁴) line, for `count` frames; `line` begins PAST frames earlier. */
static void damp(const float *line, const float *damping, float gain, int count, float *damped) {
    float one[STEP + 6], two[STEP + 4];
    for (int i = 0; i < count + 6; i++) one[i] = line[i + 1] + line[i] * damping[0];
    for (int i = 0; i < count + 4; i++) two[i] = one[i + 2] + one[i] * damping[1];
    for (int i = 0; i < count; i++) damped[i] = gain * (two[i + 4] + two[i] * damping[2]);
}

/* Even lines form the left output, odd lines the right. All are fed back through a Householder matrix. */
static void reverberate(const struct room *room, const float *mono, float *left, float *right) {
    float damped[LINES][STEP];
    for (int64_t start = 0; start < room->block; start += STEP) {
        int count = room->block - start < STEP ? (int)(room->block - start) : STEP;
        int64_t stride = room->past + room->block, now = room->past + start;
        for (int l = 0; l < LINES; l++)
            damp(room->lines + l * stride + now - room->delays[l] - PAST, room->damping, room->gains[l], count,
                 damped[l]);
        for (int i = 0; i < count; i++) {
            left[start + i] = damped[0][i] + damped[2][i] + damped[4][i] + damped[6][i];
            right[start + i] = damped[1][i] + damped[3][i] + damped[5][i] + damped[7][i];
        }
        for (int l = 0; l < LINES; l++) {
            float *input = room->lines + l * stride + now, share = room->inputs[l];
            for (int i = 0; i < count; i++)
                input[i] = damped[l][i] - (left[start + i] + right[start + i]) * (2.0f / LINES) + share * mono[start + i];
        }
    }
}

/* ---- module ---- */

static PyObject *module_read(PyObject *Py_UNUSED(module), PyObject *arguments) {
    PyObject *latest_object, *result = NULL;
    Py_buffer line, places, y, latest = {0};
    if (!PyArg_ParseTuple(arguments, "y*y*Ow*", &line, &places, &latest_object, &y)) return NULL;
    int has_latest = latest_object != Py_None;
    if (has_latest && PyObject_GetBuffer(latest_object, &latest, PyBUF_C_CONTIGUOUS) < 0) goto done;
    int64_t count = places.len / (Py_ssize_t)sizeof(double);
    int64_t channels = count ? y.len / (Py_ssize_t)sizeof(float) / count : 0;
    int64_t frames = channels ? line.len / (Py_ssize_t)sizeof(float) / channels : 0;
    if (channels * count * (int64_t)sizeof(float) != y.len || channels * frames * (int64_t)sizeof(float) != line.len ||
        (has_latest && latest.len != count * (int64_t)sizeof(int64_t)))
        PyErr_SetString(PyExc_ValueError, "the sizes of line, places, latest and output do not agree");
    else if (!read_line(line.buf, (int)channels, frames, places.buf, has_latest ? latest.buf : NULL, count, y.buf))
        PyErr_SetString(PyExc_ValueError, "a place needs two frames of the line before it and three after it");
    else
        result = Py_NewRef(Py_None);
    if (has_latest) PyBuffer_Release(&latest);
done:
    PyBuffer_Release(&line);
    PyBuffer_Release(&places);
    PyBuffer_Release(&y);
    return result;
}

static PyObject *module_filter(PyObject *Py_UNUSED(module), PyObject *arguments) {
    const Py_ssize_t single = sizeof(float), pair = sizeof(double);
    Py_buffer x, y, coefficients, states;
    int rows;
    if (!PyArg_ParseTuple(arguments, "y*w*y*w*i", &x, &y, &coefficients, &states, &rows)) return NULL;
    Py_ssize_t count = rows > 0 ? coefficients.len / (5 * pair * rows) : 0;
    const char *error = NULL;
    if (count < 1 || count > MOST_SECTIONS) error = "a filter has 1 to 16 sections";
    else if (x.len != y.len || x.len % (rows * single) || coefficients.len != 5 * pair * rows * count ||
             states.len != 2 * pair * rows * count)
        error = "the sizes of input, output, coefficients and states do not agree";
    else
        filter(x.buf, y.buf, coefficients.buf, states.buf, rows, (int)count, x.len / rows / single);
    PyBuffer_Release(&x);
    PyBuffer_Release(&y);
    PyBuffer_Release(&coefficients);
    PyBuffer_Release(&states);
    if (error) return PyErr_SetString(PyExc_ValueError, error), NULL;
    return Py_NewRef(Py_None);
}

static const char *check_room(const struct room *room, const Py_buffer *views) {
    const Py_ssize_t single = sizeof(float);
    if (views[1].len != LINES * (Py_ssize_t)sizeof(int32_t) || views[2].len != LINES * single ||
        views[3].len != LINES * single || views[4].len != 3 * single)
        return "a room has eight delays, gains and inputs, and three powers of its damping";
    if (views[6].len != 2 * views[5].len || views[0].len != LINES * (room->past + room->block) * single)
        return "the sizes of lines, input and output do not agree";
    for (int l = 0; l < LINES; l++)
        if (room->delays[l] < STEP || room->delays[l] + PAST > room->past)
            return "a delay is shorter than 960 frames, or longer than the past";
    return NULL;
}

static PyObject *module_room(PyObject *Py_UNUSED(module), PyObject *arguments) {
    enum { VIEWS = 7 };
    Py_buffer v[VIEWS];
    if (!PyArg_ParseTuple(arguments, "w*y*y*y*y*y*w*", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6])) return NULL;
    int64_t block = v[5].len / (Py_ssize_t)sizeof(float);
    struct room room = {v[0].buf, v[1].buf, v[2].buf, v[3].buf, v[4].buf, 0, block};
    room.past = v[0].len / (Py_ssize_t)sizeof(float) / LINES - block;
    const char *error = check_room(&room, v);
    if (!error) reverberate(&room, v[5].buf, v[6].buf, (float *)v[6].buf + block);
    for (int index = 0; index < VIEWS; index++) PyBuffer_Release(&v[index]);
    if (error) return PyErr_SetString(PyExc_ValueError, error), NULL;
    return Py_NewRef(Py_None);
}

static PyMethodDef methods[] = {
    {"read", module_read, METH_VARARGS,
     "read(line, places, latest, y): write the values at fractional places of a line to y."},
    {"filter", module_filter, METH_VARARGS,
     "filter(x, y, coefficients, states, rows): write the filtered rows of x to y, and go on from the states."},
    {"room", module_room, METH_VARARGS,
     "room(lines, delays, gains, inputs, damping, mono, y): write a block of reverberation to y, and feed the lines."},
    {NULL, NULL, 0, NULL},
};

enum { INTERFACE = 1 }; /* increment when the arguments or the effect of a function change */

static int module_exec(PyObject *module) { return PyModule_AddIntConstant(module, "interface", INTERFACE); }

static PyModuleDef_Slot slots[] = {{Py_mod_exec, module_exec}, {0, NULL}};
static PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_native",
    .m_doc = "Effects in C, see kernels/audio.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
