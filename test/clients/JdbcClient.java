import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** The PostgreSQL JDBC driver: simple and extended protocol, prepared on the server with binary results. */
public class JdbcClient {
    static final String[] VALUES = System.getenv("MP_VALUES").split("\\|");
    static final String JSON = System.getenv("MP_JSON");
    static final float CHURN_SCORE = Float.parseFloat(System.getenv("MP_CHURN_SCORE"));
    static final String[] NUMBERS = System.getenv("MP_ARRAY").split(",");
    static final float NUMERIC_SCORE = Float.parseFloat(System.getenv("MP_NUMERIC_SCORE"));

    /** Binds the parameters of a statement. */
    interface Binder {
        void bind(Connection connection, PreparedStatement statement) throws SQLException;
    }

    static void check(String what, boolean ok) {
        System.out.println((ok ? "ok " : "not ok ") + what);
    }

    static byte[] read(String variable) throws Exception {
        return Files.readAllBytes(Path.of(System.getenv(variable)));
    }

    static String placeholders(int n) {
        return "?, ".repeat(n - 1) + "?";
    }

    /** Runs it three times, so that the driver's prepare threshold is passed. */
    static void score(Connection connection, String what, String sql, float score, Binder binder) throws SQLException {
        boolean same = true;
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < 3; i++) {
                binder.bind(connection, statement);
                try (ResultSet result = statement.executeQuery()) {
                    result.next();
                    same = same && (float) result.getDouble(1) == score;
                }
            }
        }
        check("scores " + what, same);
    }

    static void scoreAll(String mode, String options) throws Exception {
        try (Connection c = connect(options)) {
            score(c, "a row, " + mode, "SELECT predict(?, c.*) FROM customers c WHERE id = 1", CHURN_SCORE,
                (connection, s) -> s.setString(1, "jdbc"));
            score(c, "cast jsonb, " + mode, "SELECT predict(?, ?::jsonb)", CHURN_SCORE, (connection, s) -> {
                s.setString(1, "jdbc");
                s.setString(2, JSON);
            });
            score(c, "predict_json by an object of type other, " + mode, "SELECT predict_json(?, ?)", CHURN_SCORE,
                (connection, s) -> {
                    s.setString(1, "jdbc");
                    s.setObject(2, JSON, java.sql.Types.OTHER);
                });
            Binder array = (connection, s) -> {
                Object[] numbers = new Object[NUMBERS.length];
                for (int i = 0; i < NUMBERS.length; i++)
                    numbers[i] = Float.valueOf(NUMBERS[i]);
                s.setString(1, "jdbc numeric");
                s.setArray(2, connection.createArrayOf("float4", numbers));
            };
            score(c, "a cast array, " + mode, "SELECT predict(?, ?::real[])", NUMERIC_SCORE, array);
            /* the simple protocol writes parameters as literals, which have no type */
            if (!mode.startsWith("simple")) {
                score(c, "an array, " + mode, "SELECT predict(?, ?)", NUMERIC_SCORE, array);
                score(c, "values without casts, " + mode, "SELECT predict(?, " + placeholders(VALUES.length) + ")",
                    CHURN_SCORE, (connection, s) -> {
                        s.setString(1, "jdbc");
                        for (int i = 0; i < VALUES.length; i++)
                            if (VALUES[i].matches("[0-9.]+"))
                                s.setDouble(i + 2, Double.parseDouble(VALUES[i]));
                            else
                                s.setString(i + 2, VALUES[i]);
                    });
            }
            try (ResultSet r = c.createStatement().executeQuery(
                "SELECT predict_class('jdbc', c.*), predict_proba('jdbc', c.*) FROM customers c WHERE id = 1")) {
                r.next();
                Double[] proba = (Double[]) r.getArray(2).getArray();
                check("gets a class and an array, " + mode, r.getString(1).equals("Yes") && proba[1].floatValue() == CHURN_SCORE);
            }
        }
    }

    static Connection connect(String options) throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + System.getenv("PGPORT") + "/postgres?user="
            + System.getenv("PGUSER") + "&sslmode=disable&" + options);
    }

    public static void main(String[] arguments) throws Exception {
        try (Connection c = connect("");
            PreparedStatement s = c.prepareStatement(
                "SELECT model_predict.register(?, ?, classes => ?, trees => 'best', examples => ?::jsonb)")) {
            s.setString(1, "jdbc");
            s.setBytes(2, read("MP_CHURN"));
            s.setArray(3, c.createArrayOf("text", new String[] {"No", "Yes"}));
            s.setString(4, new String(read("MP_EXAMPLES")));
            ResultSet r = s.executeQuery();
            r.next();
            check("registers from a bytea parameter", r.getInt(1) == 1);
            try (PreparedStatement n = c.prepareStatement("SELECT model_predict.register('jdbc numeric', ?)")) {
                n.setBytes(1, read("MP_NUMERIC"));
                n.executeQuery();
            }
        }
        scoreAll("simple protocol", "preferQueryMode=simple");
        scoreAll("extended protocol, text", "prepareThreshold=0&binaryTransfer=false");
        scoreAll("prepared on the server, binary", "prepareThreshold=1&binaryTransfer=true");

        try (Connection c = connect("")) {
            c.createStatement().executeQuery("SELECT predict('absent', 1)");
        } catch (SQLException e) {
            check("an error has its SQLSTATE", e.getSQLState().equals("42704"));
        }
    }
}
