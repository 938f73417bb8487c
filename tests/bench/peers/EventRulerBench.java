/* event-ruler for ../matcher.py: EventRulerBench --rules FILE... --events FILE --seconds N.
 *
 *   javac -cp event-ruler.jar:jackson-core.jar:jackson-databind.jar -d out EventRulerBench.java
 *   matcher.py --peer event-ruler="java -XX:+UseSerialGC -cp out:event-ruler.jar:... EventRulerBench"
 *
 * Three seconds to warm up, then whole passes by the CPU time of this thread alone (the collector and the compiler, which
 * run in others, cost nothing here). */
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import software.amazon.event.ruler.Machine;

public class EventRulerBench {
    static final double WARM_UP_SECONDS = 3;

    static long pass(Machine machine, List<String> events) throws Exception {
        long matches = 0;
        for (String event : events) {
            matches += machine.rulesForJSONEvent(event).size();
        }
        return matches;
    }

    public static void main(String[] arguments) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        Machine machine = new Machine();
        List<String> events = new ArrayList<>();
        double wanted = 3;
        int count = 0;
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            String value = arguments[i + 1];
            if (arguments[i].equals("--rules")) {
                for (JsonNode rule : mapper.readTree(Files.readAllBytes(Paths.get(value)))) {
                    machine.addRule(rule.get("name").asText() + "#" + count++, rule.get("pattern").toString());
                }
            } else if (arguments[i].equals("--events")) {
                for (String line : Files.readAllLines(Paths.get(value))) {
                    if (!line.isBlank()) {
                        events.add(line);
                    }
                }
            } else {
                wanted = Double.parseDouble(value);
            }
        }
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long matches, passes = 0;
        long start = threads.getCurrentThreadCpuTime();
        do {
            matches = pass(machine, events);
        } while (threads.getCurrentThreadCpuTime() - start < WARM_UP_SECONDS * 1e9);
        double seconds;
        start = threads.getCurrentThreadCpuTime();
        do {
            pass(machine, events);
            passes++;
            seconds = (threads.getCurrentThreadCpuTime() - start) / 1e9;
        } while (seconds < wanted);
        System.out.printf("{\"events\":%d,\"matches_per_pass\":%d,\"cpu_seconds\":%f}%n", passes * events.size(), matches,
                seconds);
    }
}
