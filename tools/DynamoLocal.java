import com.amazonaws.services.dynamodbv2.local.server.DynamoDBProxyServer;
import com.amazonaws.services.dynamodbv2.local.server.LocalDynamoDBRequestHandler;
import com.amazonaws.services.dynamodbv2.local.server.LocalDynamoDBServerHandler;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * AWS's DynamoDB Local on 127.0.0.1 only. Its own main class listens on every interface and has no
 * option against it.
 *
 * <p>Usage, with the jar and its libraries on the class path: {@code java tools/DynamoLocal.java PORT}.
 * Everything is kept in memory and is gone when the process ends.
 */
final class DynamoLocal {
    private static final String LOOPBACK = "127.0.0.1";
    private static final int NO_PORT_OF_ITS_OWN = 0;

    private DynamoLocal() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 1) {
            System.err.println("usage: java tools/DynamoLocal.java PORT");
            System.exit(2);
        }
        boolean inMemory = true;
        String noFile = null;
        boolean oneDatabaseForAllRegions = true;
        boolean slowTransitions = false;
        LocalDynamoDBRequestHandler database = new LocalDynamoDBRequestHandler(
                NO_PORT_OF_ITS_OWN, inMemory, noFile, oneDatabaseForAllRegions, slowTransitions);
        LocalDynamoDBServerHandler protocol = new LocalDynamoDBServerHandler(database, null);

        Server server = new Server();
        ServerConnector connector = new ServerConnector(server);
        connector.setHost(LOOPBACK);
        connector.setPort(Integer.parseInt(arguments[0]));
        server.addConnector(connector);
        // The proxy server is asked only for its chain of handlers; it never listens itself.
        server.setHandler(new DynamoDBProxyServer(NO_PORT_OF_ITS_OWN, protocol).setUpHandler(protocol));
        server.start();
        server.join();
    }
}
